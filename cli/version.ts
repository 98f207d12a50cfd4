import { KUBERNETES_VERSION, SKERRY_VERSION } from '../shared/version.ts';
import { declareCommand } from './command.ts';
import { DATA_OUTPUT_OPTION, printData, readDataOutput } from './object-output.ts';
import { parseOptions } from './options.ts';

export const version = declareCommand({
  synopsis: ['version [-o json|yaml]'],
  about:
    'Prints the version of this command, the Kubernetes API that its master serves, and the Node.js that runs it.',
  options: DATA_OUTPUT_OPTION,
  examples: [['skerry version -o json', '']],
  async run(args) {
    const output = readDataOutput(parseOptions(args, DATA_OUTPUT_OPTION, { max: 0 }).values.output);
    const versions = {
      skerry: SKERRY_VERSION,
      kubernetes: KUBERNETES_VERSION,
      node: process.version,
    };
    if (output !== undefined) {
      process.stdout.write(printData(versions, output));
      return 0;
    }
    process.stdout.write(
      `skerry ${SKERRY_VERSION}, serves Kubernetes ${KUBERNETES_VERSION}, Node.js ${process.version}\n`,
    );
    return 0;
  },
});
