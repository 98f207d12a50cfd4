import { declareCommand, KUBECONFIG_OPTION } from './command.ts';
import { showObjects } from './get.ts';
import { OUTPUT_OPTION, readOutput } from './object-output.ts';
import { parseOptions } from './options.ts';
import { withClient } from './with-client.ts';

const OPTIONS = { ...OUTPUT_OPTION, ...KUBECONFIG_OPTION } as const;

export const nodes = declareCommand({
  synopsis: ['nodes [-o FORMAT]'],
  about: 'Shows the devices of the cluster.',
  options: OPTIONS,
  examples: [
    ['skerry nodes', ''],
    ['skerry nodes -o wide', 'with addresses, systems and engines'],
    ['skerry describe node pi-kitchen', 'everything of one, with what happened lately'],
  ],
  async run(args) {
    const { values } = parseOptions(args, OPTIONS, { max: 0 });
    const output = readOutput(values.output);
    await withClient(values.kubeconfig, (client) =>
      showObjects(client, { word: 'nodes', namespace: undefined, output }),
    );
    return 0;
  },
});
