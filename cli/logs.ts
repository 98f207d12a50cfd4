import type { JsonObject } from '../shared/meta/kube-object.ts';
import type { Pod } from '../shared/schema/kubernetes-types.ts';
import { type ApiClient, ApiFailure } from './api-client.ts';
import { declareCommand, KUBECONFIG_OPTION, NAMESPACE_OPTION } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { suggestion } from './nearest-word.ts';
import { askMasterOrDevice, DEVICE_OPTIONS, writeLocalLog } from './on-this-device.ts';
import { durationMs, wholeNumber } from './option-values.ts';
import { parseOptions } from './options.ts';
import { pathSegment } from './path-segment.ts';

const OPTIONS = {
  ...NAMESPACE_OPTION,
  follow: { type: 'boolean', short: 'f', description: 'go on as it is written' },
  container: {
    type: 'string',
    short: 'c',
    value: 'NAME',
    description: 'where a pod has several; its first if absent',
  },
  previous: { type: 'boolean', short: 'p', description: 'of the run before the last restart' },
  timestamps: { type: 'boolean', description: 'with the time of each line' },
  tail: { type: 'string', value: 'LINES', description: 'only the last ones' },
  since: { type: 'string', value: 'TIME', description: 'only what is newer: 30s, 10m, 2h' },
  ...DEVICE_OPTIONS,
  ...KUBECONFIG_OPTION,
} as const;

/** What is asked for, once it is known whose log. */
interface LogOptions {
  follow: boolean;
  previous: boolean;
  timestamps: boolean;
  tailLines: number | undefined;
  sinceSeconds: number | undefined;
}

export const logs = declareCommand({
  synopsis: ['logs POD [-f] [-c CONTAINER] [--tail LINES] [-n NAMESPACE] [--local]'],
  about: `Prints what a pod wrote. On a device whose master is away it comes from the device's own files, and the command says so.`,
  options: OPTIONS,
  examples: [
    ['skerry logs web-5d4f', ''],
    ['skerry logs -f --tail 20 web-5d4f -n shop', 'the last lines, and what comes'],
    ['skerry logs -p web-5d4f', 'why did it crash?'],
    ['sudo skerry logs --local web-5d4f', 'of a pod on this device, without the master'],
  ],
  async run(args) {
    const { values, positionals } = parseOptions(args, OPTIONS, { max: 1 });
    const [word] = positionals;
    if (word === undefined) throw new CommandFailure('of which pod? `skerry pods` shows them', 2);
    const name = podName(word);
    const namespace = values.namespace ?? 'default';
    const wanted: LogOptions = {
      follow: values.follow === true,
      previous: values.previous === true,
      timestamps: values.timestamps === true,
      tailLines: values.tail === undefined ? undefined : wholeNumber('--tail', values.tail, 0),
      sinceSeconds:
        values.since === undefined ? undefined : durationMs('--since', values.since) / 1000,
    };
    await askMasterOrDevice(
      values,
      async (client) => {
        const pod = await findPod(client, namespace, name);
        await printMasterLog(client, pod, containerOf(pod, values.container), wanted);
      },
      async ({ device }, dataDir) => {
        const { pods } = device.objects;
        const pod = pods.find(
          ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
        );
        if (pod === undefined) throw noPod(namespace, name, pods);
        await printLocalLog(dataDir, pod, containerOf(pod, values.container), wanted);
      },
    );
    return 0;
  },
});

/** Of `web`, or of `pod/web` as `get -o name` prints it. */
function podName(word: string): string {
  const [kind = '', name] = word.split('/', 2);
  if (name === undefined) return word;
  if (['pod', 'pods', 'po'].includes(kind)) return name;
  throw new CommandFailure(`"${word}": logs are of pods; \`skerry pods\` shows them`, 2);
}

async function findPod(client: ApiClient, namespace: string, name: string): Promise<Pod> {
  try {
    return (await client.json('GET', podPath(namespace, name))) as unknown as Pod;
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.code !== 404) throw error;
    const all = (await client.json('GET', '/api/v1/pods')) as unknown as { items: Pod[] };
    throw noPod(namespace, name, all.items);
  }
}

/** Names the one that was probably meant: of another namespace, or with the letters that a ReplicaSet put behind. */
function noPod(namespace: string, name: string, all: readonly Pod[]): CommandFailure {
  const elsewhere = all.find(({ metadata }) => metadata.name === name)?.metadata.namespace;
  const names = all.filter(({ metadata }) => metadata.namespace === namespace);
  const near =
    elsewhere === undefined
      ? suggestion(
          name,
          names.map(({ metadata }) => metadata.name),
        )
      : `; there is one in ${elsewhere}: add -n ${elsewhere}`;
  return new CommandFailure(`no pod "${name}" in namespace ${namespace}${near}`);
}

/** The container that was named, else the one that the pod marks, else its first, as kubectl chooses. Throws CommandFailure. */
function containerOf(pod: Pod, named: string | undefined): string {
  const names = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(
    ({ name }) => name,
  );
  if (named !== undefined) {
    if (names.includes(named)) return named;
    throw new CommandFailure(
      `container ${named} is not valid for pod ${pod.metadata.name} out of: ${names.join(', ')}`,
    );
  }
  const marked = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  const chosen = marked !== undefined && names.includes(marked) ? marked : (names[0] ?? '');
  if (names.length > 1 && chosen !== marked)
    process.stderr.write(`Defaulted container "${chosen}" out of: ${names.join(', ')}\n`);
  return chosen;
}

async function printMasterLog(
  client: ApiClient,
  { metadata: { name, namespace = '' } }: Pod,
  container: string,
  options: LogOptions,
): Promise<void> {
  const given = Object.entries(options).filter(
    ([, value]) => value !== undefined && value !== false,
  );
  const query = new URLSearchParams([
    ['container', container],
    ...given.map(([key, value]) => [key, String(value)] as [string, string]),
  ]);
  for await (const chunk of client.text(`${podPath(namespace, name)}/log?${query}`)) {
    await write(chunk);
  }
}

function podPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${pathSegment('namespace', namespace)}/pods/${pathSegment('resource name', name)}`;
}

async function printLocalLog(
  dataDir: string,
  { metadata: { name, namespace = '', uid = '' } }: Pod,
  container: string,
  options: LogOptions,
): Promise<void> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const request: JsonObject = {
    ...Object.fromEntries(given),
    namespace,
    pod: name,
    uid,
    container,
  };
  // Watched files alone keep no process alive.
  const alive = setInterval(() => {}, 60_000);
  try {
    await writeLocalLog(dataDir, request, write, new AbortController().signal);
  } catch (error) {
    if ((error as { reason?: unknown }).reason === undefined) throw error;
    throw new CommandFailure((error as Error).message);
  } finally {
    clearInterval(alive);
  }
}

/** Waits while whoever reads is slower than what is written. */
async function write(chunk: Uint8Array): Promise<void> {
  if (process.stdout.write(chunk)) return;
  await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
}
