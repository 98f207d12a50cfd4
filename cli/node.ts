import { type ApiClient, ApiFailure } from './api-client.ts';
import { declareCommand, KUBECONFIG_OPTION } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { secondsAsMs } from './option-values.ts';
import { parseOptions } from './options.ts';
import { pathSegment } from './path-segment.ts';
import { postToken } from './token.ts';
import { withClient } from './with-client.ts';

const OPTIONS = {
  timeout: {
    type: 'string',
    value: 'SECONDS',
    description: 'how long `remove` lets the pods of a ready node end (60)',
  },
  ...KUBECONFIG_OPTION,
} as const;

const DAY_MS = 24 * 60 * 60 * 1000;
const MERGE_PATCH = 'application/merge-patch+json';

export const node = declareCommand({
  synopsis: ['node remove NAME [--timeout SECONDS]', 'node adopt NAME'],
  about: `remove takes a device out of the cluster: nothing new is placed on it, its pods end (where the device answers), and its membership is
gone; it can join again with a new token. What is installed there stays: \`./install.sh uninstall\` removes it.

adopt prints a token with which another device takes over the name, with its labels, addresses and pods: for a device that was replaced, or
whose SD card was. The former device has no part in it from then on.`,
  options: OPTIONS,
  examples: [
    ['skerry node remove pi-3', ''],
    ['skerry node adopt pi-3', 'then join the new device with the token, and --node-name pi-3'],
  ],
  async run(args) {
    const { values, positionals } = parseOptions(args, OPTIONS, { max: 2 });
    const [verb, name] = positionals;
    if (name === undefined || (verb !== 'remove' && verb !== 'adopt')) {
      throw new CommandFailure('expected `node remove NAME` or `node adopt NAME`', 2);
    }
    const timeoutMs = secondsAsMs('--timeout', values.timeout ?? '60', 0);
    return await withClient(values.kubeconfig, (client) =>
      verb === 'adopt' ? adopt(client, name) : remove(client, name, timeoutMs),
    );
  },
});

interface FoundNode {
  status?: { conditions?: { type: string; status: string }[] };
}

async function findNode(client: ApiClient, name: string): Promise<FoundNode> {
  return (await client.json('GET', pathOf(name))) as unknown as FoundNode;
}

function pathOf(name: string): string {
  return `/api/v1/nodes/${pathSegment('resource name', name)}`;
}

async function adopt(client: ApiClient, name: string): Promise<number> {
  await findNode(client, name);
  const terms = { ttlMs: DAY_MS, uses: 1, nodeName: name, adopts: true };
  process.stdout.write(`${await postToken(client, terms)}\n`);
  process.stderr.write(
    `valid for a day and one device, which must join as --node-name ${name}; it then is that node, and the former device no more\n`,
  );
  return 0;
}

async function remove(client: ApiClient, name: string, timeoutMs: number): Promise<number> {
  const { status } = await findNode(client, name);
  const isReady = status?.conditions?.some(
    ({ type, status: value }) => type === 'Ready' && value === 'True',
  );
  if (isReady === true) {
    await client.json('PATCH', pathOf(name), {
      body: { spec: { unschedulable: true } },
      type: MERGE_PATCH,
    });
    const left = await endPods(client, name, timeoutMs);
    if (left > 0) {
      process.stderr.write(
        `${left} pods had not ended after ${timeoutMs / 1000} s; the device may go on running them until it is uninstalled\n`,
      );
    }
  }
  await client.json('DELETE', pathOf(name));
  process.stdout.write(
    `node ${name} removed${isReady === true ? '' : '; it was not ready, so what runs on the device goes on until it is uninstalled'}\n`,
  );
  return 0;
}

interface PodKey {
  metadata: { namespace: string; name: string; uid: string };
}

/** Deletes the node's pods and waits for their ends; answers how many are left. */
async function endPods(client: ApiClient, nodeName: string, timeoutMs: number): Promise<number> {
  const query = `fieldSelector=${encodeURIComponent(`spec.nodeName=${nodeName}`)}`;
  const list = (await client.json('GET', `/api/v1/pods?${query}`)) as unknown as {
    metadata: { resourceVersion: string };
    items: PodKey[];
  };
  const waiting = new Set(list.items.map(({ metadata }) => metadata.uid));
  for (const { metadata } of list.items) {
    await client
      .json('DELETE', `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`)
      .catch((error: unknown) => {
        if (!(error instanceof ApiFailure && error.code === 404)) throw error;
      });
  }
  if (waiting.size === 0) return 0;
  const signal = AbortSignal.timeout(timeoutMs);
  const since = `resourceVersion=${list.metadata.resourceVersion}`;
  try {
    for await (const event of client.watch(`/api/v1/pods?watch=true&${query}&${since}`, signal)) {
      const { metadata } = event.object as unknown as PodKey;
      if (event.type === 'DELETED') waiting.delete(metadata.uid);
      if (waiting.size === 0) return 0;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return waiting.size;
}
