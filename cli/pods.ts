import { PODS } from '../shared/resources/pod.ts';
import type { Pod } from '../shared/schema/kubernetes-types.ts';
import { declareCommand, KUBECONFIG_OPTION } from './command.ts';
import { showObjects } from './get.ts';
import {
  OUTPUT_OPTION,
  type Output,
  printObjects,
  printTable,
  readOutput,
} from './object-output.ts';
import { askMasterOrDevice, DEVICE_OPTIONS } from './on-this-device.ts';
import { parseOptions } from './options.ts';
import { Paint } from './paint.ts';

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
    await askMasterOrDevice(
      values,
      (client) => showObjects(client, { word: 'pods', namespace, output }),
      async ({ device }) => {
        const shown = device.pods.filter(
          ({ metadata }) => namespace === undefined || metadata.namespace === namespace,
        );
        process.stdout.write(printPods(shown, namespace === undefined, output));
      },
    );
    return 0;
  },
});

/** As the server prints them: the columns are the same. */
function printPods(shown: readonly Pod[], withNamespace: boolean, output: Output): string {
  if (output !== 'table' && output !== 'wide') {
    const list = { apiVersion: 'v1', kind: 'List', metadata: {}, items: shown };
    return printObjects(JSON.parse(JSON.stringify(list)), output, 'pods');
  }
  if (shown.length === 0) return 'No pods on this device.\n';
  const table = {
    columnDefinitions: PODS.columns.map(({ name, priority }) => ({ name, priority })),
    rows: shown.map((pod) => ({
      cells: PODS.columns.map((column) => column.cell(pod, Date.now())),
      object: { metadata: pod.metadata },
    })),
  };
  return printTable(table, {
    wide: output === 'wide',
    withNamespace,
    paint: new Paint(process.stdout),
  });
}
