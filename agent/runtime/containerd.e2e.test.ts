import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { silentLogger } from '../../shared/silent-logger.ts';
import { runCommand } from '../host/command.ts';
import { ContainerdRuntime } from './containerd.ts';
import { importBusyboxImages, removeBusyboxImages } from './contract-images.ts';
import { describeRuntime } from './runtime.contract.ts';

/** A containerd of the test's own, with its own folders and socket, and a namespace that no other uses. */
const folder = mkdtempSync(join(tmpdir(), 'skerry-containerd-'));
const address = join(folder, 'containerd.sock');
const namespace = `skerry-contract-${process.pid}`;

async function ctr(...args: string[]): Promise<string> {
  const all = ['--address', address, '--namespace', namespace, ...args];
  return (await runCommand('ctr', all)).stdout.trim();
}

describeRuntime('containerd', async () => {
  await startContainerd();
  const { image, imageWithEntrypoint } = await importBusyboxImages();
  for (const name of [image, imageWithEntrypoint]) {
    const archive = join(folder, 'image.tar');
    await runCommand('podman', ['save', '--quiet', '--output', archive, name]);
    await ctr('images', 'import', archive);
    rmSync(archive);
  }
  return {
    runtime: (agentId, own) =>
      new ContainerdRuntime({
        agentId,
        stateDir: join(own, agentId, 'state'),
        runDir: join(own, agentId, 'run'),
        log: silentLogger,
        nowMs: Date.now,
        containerdAddress: address,
        containerdNamespace: namespace,
      }),
    async forget(runtime) {
      (runtime as ContainerdRuntime).stop();
    },
    image,
    imageWithEntrypoint,
    tellsStreams: false,
    async kill(id) {
      await ctr('tasks', 'kill', '--signal=SIGKILL', id);
    },
    async lose(id) {
      process.kill(await shimOf(id), 'SIGKILL');
    },
    async makeForeign(name) {
      await ctr('containers', 'create', image, name);
    },
    async foreignExists(name) {
      return (await ctr('containers', 'ls', '--quiet')).split('\n').includes(name);
    },
    async removeForeign(name) {
      await ctr('containers', 'rm', name);
    },
  };
});

afterAll(async () => {
  await removeBusyboxImages();
  process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')));
  rmSync(folder, { recursive: true, force: true });
});

async function startContainerd(): Promise<void> {
  const config = join(folder, 'config.toml');
  writeFileSync(
    config,
    [
      'version = 2',
      `root = "${folder}/root"`,
      `state = "${folder}/state"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]',
      '[grpc]',
      `address = "${address}"`,
    ].join('\n'),
  );
  const daemon = spawn('containerd', ['--config', config], { stdio: 'ignore', detached: true });
  writeFileSync(join(folder, 'pid'), String(daemon.pid));
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (existsSync(address)) {
      const { exitCode } = await runCommand('ctr', ['--address', address, 'version'], {
        allowFailure: true,
      });
      if (exitCode === 0) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('containerd did not start');
}

/** The parent of the container's first process. */
async function shimOf(id: string): Promise<number> {
  const line = (await ctr('tasks', 'ls')).split('\n').find((row) => row.startsWith(id)) ?? '';
  const pid = line.split(/\s+/)[1];
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
}
