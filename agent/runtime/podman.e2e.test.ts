import { readFileSync } from 'node:fs';
import { afterAll } from 'vitest';
import { runCommand } from '../host/command.ts';
import { importBusyboxImages, removeBusyboxImages, silentLogger } from './contract-images.ts';
import { PodmanRuntime } from './podman.ts';
import { describeRuntime } from './runtime.contract.ts';

const PODMAN = ['--cgroup-manager=cgroupfs', '--events-backend=none', '--runtime=runc'];

async function podman(...args: string[]): Promise<string> {
  return (await runCommand('podman', [...PODMAN, ...args])).stdout.trim();
}

describeRuntime('podman', async () => {
  const { image, imageWithEntrypoint } = await importBusyboxImages();
  return {
    runtime: (agentId, folder) =>
      new PodmanRuntime({
        agentId,
        stateDir: folder,
        runDir: folder,
        log: silentLogger,
        nowMs: Date.now,
      }),
    forget: async () => {},
    image,
    imageWithEntrypoint,
    tellsStreams: true,
    async kill(id) {
      await podman('kill', '--signal=KILL', id);
    },
    async lose(id) {
      const pidFile = await podman('inspect', '--format={{.ConmonPidFile}}', id);
      process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
    },
    async makeForeign(name) {
      await podman('create', `--name=${name}`, '--network=none', image);
    },
    async foreignExists(name) {
      return (await podman('ps', '--all', '--format={{.Names}}')).split('\n').includes(name);
    },
    async removeForeign(name) {
      await podman('rm', '--force', '--ignore', name);
    },
  };
});

afterAll(removeBusyboxImages);
