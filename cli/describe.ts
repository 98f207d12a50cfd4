import { ENDPOINT_SLICES, SERVICE_NAME_LABEL } from '../shared/resources/endpoint-slice.ts';
import type { EndpointSlice } from '../shared/schema/kubernetes-types.ts';
import { declareCommand, KUBECONFIG_OPTION, NAMESPACE_OPTION } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { type Described, describeObject } from './description.ts';
import { Failures } from './failures.ts';
import { DATA_OUTPUT_OPTION, printData, readDataOutput } from './object-output.ts';
import type { ObjectSource } from './object-source.ts';
import { DEVICE_OPTIONS, withObjects } from './on-this-device.ts';
import { parseOptions } from './options.ts';
import { Paint } from './paint.ts';
import { readNamedTargets, type Target } from './targets.ts';

const OPTIONS = {
  ...NAMESPACE_OPTION,
  output: {
    ...DATA_OUTPUT_OPTION.output,
    description: 'the object and its events, for programs',
  },
  ...DEVICE_OPTIONS,
  ...KUBECONFIG_OPTION,
} as const;

export const describe = declareCommand({
  synopsis: [
    'describe KIND NAME... [-n NAMESPACE] [--local]',
    'describe KIND/NAME... [-n NAMESPACE] [--local]',
  ],
  about: `Shows all of an object: what it is, how it does, and what happened to it lately. Here it says why a pod does not start.
On a device whose master is away it describes what the device knows by itself, and says so.`,
  options: OPTIONS,
  examples: [
    ['skerry describe pod web-5d4f', 'why is it Pending?'],
    ['skerry describe node pi-kitchen', 'with its pods'],
    ['sudo skerry describe pod web-5d4f --local', 'as this device knows it'],
  ],
  async run(args) {
    const { values, positionals } = parseOptions(args, OPTIONS, {
      max: Number.POSITIVE_INFINITY,
    });
    const targets = readNamedTargets(positionals);
    if (targets === undefined)
      throw new CommandFailure('what? for example: skerry describe pod NAME', 2);
    const output = readDataOutput(values.output);
    const namespace = values.namespace ?? 'default';
    const failures = new Failures();
    await withObjects(values, async (source) => {
      const described: Described[] = [];
      for (const target of targets) {
        const found = await failures.of(() => find(source, target, namespace));
        if (found !== undefined) described.push(found);
      }
      process.stdout.write(
        output === undefined
          ? printTexts(described)
          : printAsData(described, targets.length === 1, output),
      );
    });
    failures.end();
    return 0;
  },
});

async function find(
  source: ObjectSource,
  { kind, name }: Required<Target>,
  namespace: string,
): Promise<Described> {
  const resource = await source.kindOf(kind);
  const selection = { namespace, name };
  const [object, table] = await Promise.all([
    source.read(resource, selection),
    source.table(resource, selection),
  ]);
  const [events, pods, slices] = await Promise.all([
    source.eventsAbout(resource, object),
    resource.kind === 'Node' ? source.podsOn(name) : undefined,
    resource.kind === 'Service' ? slicesOf(source, selection) : undefined,
  ]);
  return { object, table, events, pods, slices };
}

async function slicesOf(
  source: ObjectSource,
  { namespace, name }: { namespace: string; name: string },
): Promise<EndpointSlice[]> {
  const slices = await source.kindOf(ENDPOINT_SLICES.plural);
  const found = await source.read(slices, { namespace, labels: `${SERVICE_NAME_LABEL}=${name}` });
  return found['items'] as unknown as EndpointSlice[];
}

function printTexts(described: readonly Described[]): string {
  const paint = new Paint(process.stdout);
  return described.map((one) => describeObject(one, Date.now(), paint)).join('\n\n');
}

/** Of one object that was asked for itself, else all of them as `items`. */
function printAsData(
  described: readonly Described[],
  isOne: boolean,
  output: 'json' | 'yaml',
): string {
  const items = described.map(({ object, events }) => ({
    object,
    ...(events && { events: [...events] }),
  }));
  return isOne
    ? items.map((item) => printData(item, output)).join('')
    : printData({ items }, output);
}
