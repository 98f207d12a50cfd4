import { declareCommand, KUBECONFIG_OPTION } from './command.ts';
import { OUTPUT_OPTION, readOutput } from './object-output.ts';
import { DEVICE_OPTIONS, withObjects } from './on-this-device.ts';
import { parseOptions } from './options.ts';
import { showObjects } from './show-objects.ts';

const OPTIONS = { ...OUTPUT_OPTION, ...DEVICE_OPTIONS, ...KUBECONFIG_OPTION } as const;

export const nodes = declareCommand({
  synopsis: ['nodes [-o FORMAT] [--local]'],
  about: `Shows the devices of the cluster. A device whose master is away shows itself and what it knows of the others, and says so.`,
  options: OPTIONS,
  examples: [
    ['skerry nodes', ''],
    ['skerry nodes -o wide', 'with addresses, systems and engines'],
    ['skerry describe node pi-kitchen', 'everything of one, with what happened lately'],
    ['sudo skerry nodes --local', 'as this device knows them'],
  ],
  async run(args) {
    const { values } = parseOptions(args, OPTIONS, { max: 0 });
    const output = readOutput(values.output);
    await withObjects(values, (source) =>
      showObjects(source, [{ kind: 'nodes' }], { namespace: undefined }, output),
    );
    return 0;
  },
});
