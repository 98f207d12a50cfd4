import { KUBERNETES_VERSION, SKERRY_VERSION } from '../shared/version.ts';
import type { Command } from './command.ts';

export const version: Command = {
  usage: 'usage: skerry version\n',
  async run() {
    process.stdout.write(
      `skerry ${SKERRY_VERSION}, serves Kubernetes ${KUBERNETES_VERSION}, Node.js ${process.version}\n`,
    );
    return 0;
  },
};
