import { declareCommand, KUBECONFIG_OPTION } from './command.ts';
import { OUTPUT_OPTION, readOutput } from './object-output.ts';
import { DEVICE_OPTIONS, withObjects } from './on-this-device.ts';
import { parseOptions } from './options.ts';
import { showObjects } from './show-objects.ts';

const OPTIONS = {
  namespace: {
    type: 'string',
    short: 'n',
    value: 'NAMESPACE',
    description: 'of this one alone; of all if absent',
  },
  'all-namespaces': {
    type: 'boolean',
    short: 'A',
    description: 'of every namespace: the same as no -n',
  },
  ...OUTPUT_OPTION,
  ...DEVICE_OPTIONS,
  ...KUBECONFIG_OPTION,
} as const;

export const pods = declareCommand({
  synopsis: ['pods [-n NAMESPACE] [-o FORMAT] [--local]'],
  about: `Shows the pods of every namespace. On a device whose master is away it shows the device's own pods, as the device knows them, and
says so.`,
  options: OPTIONS,
  examples: [
    ['skerry pods', ''],
    ['skerry pods -n shop -o wide', 'with addresses and nodes'],
    ['sudo skerry pods --local', 'what runs on this device, whatever the master thinks'],
  ],
  async run(args) {
    const { values } = parseOptions(args, OPTIONS, { max: 0 });
    const output = readOutput(values.output);
    const { namespace } = values;
    await withObjects(values, (source) =>
      showObjects(source, [{ kind: 'pods' }], { namespace }, output),
    );
    return 0;
  },
});
