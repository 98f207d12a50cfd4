import { declareCommand, KUBECONFIG_OPTION, NAMESPACE_OPTION } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { type Described, describeObject } from './description.ts';
import { DATA_OUTPUT_OPTION, printData, readDataOutput } from './object-output.ts';
import type { ObjectSource } from './object-source.ts';
import { DEVICE_OPTIONS, withObjects } from './on-this-device.ts';
import { parseOptions } from './options.ts';
import { Paint } from './paint.ts';

const OPTIONS = {
  ...NAMESPACE_OPTION,
  output: {
    ...DATA_OUTPUT_OPTION.output,
    description: 'json or yaml: the object and its events, for programs',
  },
  ...DEVICE_OPTIONS,
  ...KUBECONFIG_OPTION,
} as const;

export const describe = declareCommand({
  synopsis: ['describe KIND NAME [-n NAMESPACE] [--local]'],
  about: `Shows all of one object: what it is, how it does, and what happened to it lately. Here it says why a pod does not start.
On a device whose master is away it describes what the device knows by itself, and says so.`,
  options: OPTIONS,
  examples: [
    ['skerry describe pod web-5d4f', 'why is it Pending?'],
    ['skerry describe node pi-kitchen', 'with its pods'],
    ['sudo skerry describe pod web-5d4f --local', 'as this device knows it'],
  ],
  async run(args) {
    const { values, positionals } = parseOptions(args, OPTIONS, { max: 2 });
    const [word, name] = positionals;
    if (word === undefined || name === undefined)
      throw new CommandFailure('what? for example: skerry describe pod NAME', 2);
    const output = readDataOutput(values.output);
    await withObjects(values, async (source) => {
      const found = await find(source, word, values.namespace ?? 'default', name);
      const { object, events } = found;
      process.stdout.write(
        output === undefined
          ? describeObject(found, Date.now(), new Paint(process.stdout))
          : printData({ object, ...(events && { events: [...events] }) }, output),
      );
    });
    return 0;
  },
});

async function find(
  source: ObjectSource,
  word: string,
  namespace: string,
  name: string,
): Promise<Described> {
  const resource = await source.kindOf(word);
  const selection = { namespace, name };
  const [object, table] = await Promise.all([
    source.read(resource, selection),
    source.table(resource, selection),
  ]);
  const [events, pods] = await Promise.all([
    source.eventsAbout(resource, object),
    resource.kind === 'Node' ? source.podsOn(name) : undefined,
  ]);
  return { object, table, events, pods };
}
