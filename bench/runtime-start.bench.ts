import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../agent/host/command.ts';
import { importBusyboxImages, removeBusyboxImages } from '../agent/runtime/contract-images.ts';
import { PodmanRuntime } from '../agent/runtime/podman.ts';
import type { ContainerSpec } from '../agent/runtime/runtime.ts';
import { silentLogger } from '../shared/silent-logger.ts';

/**
 * From nothing to the container's first line of output: the driver's create and start against `podman run` of the same image.
 * As root: `npx tsx bench/runtime-start.bench.ts [rounds]`. Both use a network namespace that exists already.
 */
const rounds = Number(process.argv[2] ?? 10);

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-bench-'));
  const netns = `skerry-bench-${process.pid}`;
  await runCommand('ip', ['netns', 'add', netns]);
  const network = `/run/netns/${netns}`;
  const { image } = await importBusyboxImages();
  const runtime = new PodmanRuntime({
    agentId: `bench${process.pid}`,
    stateDir: folder,
    runDir: folder,
    log: silentLogger,
    nowMs: Date.now,
  });
  const unwatch = await runtime.watch(() => {});
  const times: Record<string, number[]> = { 'podman run': [], create: [], start: [], driver: [] };
  try {
    for (let round = 0; round < rounds; round += 1) {
      times['podman run']?.push(await podmanRun(image, network, join(folder, `run${round}.log`)));
      const spec = containerSpec(image, network, join(folder, `driver${round}.log`), round);
      const begun = performance.now();
      const id = await runtime.create(spec);
      const created = performance.now();
      await runtime.start(id);
      await firstLine(spec.logPath);
      const started = performance.now();
      times['create']?.push(created - begun);
      times['start']?.push(started - created);
      times['driver']?.push(started - begun);
      await runtime.remove(id);
    }
  } finally {
    unwatch();
    await runtime.purge();
    await runCommand('ip', ['netns', 'delete', netns]);
    await removeBusyboxImages();
    rmSync(folder, { recursive: true, force: true });
  }
  print(times);
}

async function podmanRun(image: string, network: string, log: string): Promise<number> {
  const begun = performance.now();
  const { stdout } = await runCommand('podman', [
    '--cgroup-manager=cgroupfs',
    '--events-backend=none',
    '--runtime=runc',
    'run',
    '--detach',
    '--pull=never',
    `--network=ns:${network}`,
    '--ulimit=nofile=1024:1024',
    '--ulimit=nproc=1024:1024',
    '--log-driver=k8s-file',
    `--log-opt=path=${log}`,
    image,
    'sh',
    '-c',
    'echo first; exec sleep 1000',
  ]);
  await firstLine(log);
  const took = performance.now() - begun;
  await runCommand('podman', ['rm', '--force', '--time=0', stdout.trim()]);
  return took;
}

function containerSpec(
  image: string,
  network: string,
  logPath: string,
  round: number,
): ContainerSpec {
  return {
    name: `skerry-bench-${process.pid}-${round}`,
    labels: { 'io.kubernetes.pod.name': 'bench' },
    image,
    command: ['sh', '-c', 'echo first; exec sleep 1000'],
    env: [{ name: 'GREETING', value: 'hello' }],
    mounts: [],
    namespaces: { network, ipc: 'host', uts: 'host' },
    hostname: 'bench',
    cgroupParent: `/skerry-bench${process.pid}/pod`,
    limits: { memoryBytes: 64 * 1024 * 1024, cpuShares: 102, oomScoreAdj: 900 },
    logPath,
    stdin: false,
    tty: false,
    security: {
      privileged: false,
      readOnlyRootFilesystem: false,
      addCapabilities: [],
      dropCapabilities: [],
      allowPrivilegeEscalation: true,
      supplementalGroups: [],
    },
  };
}

async function firstLine(log: string): Promise<void> {
  for (;;) {
    try {
      if (readFileSync(log, 'utf8').includes('\n')) return;
    } catch {
      // Not there yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function print(times: Record<string, number[]>): void {
  const median = (values: number[] = []): number =>
    [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
  const lines = Object.entries(times).map(
    ([name, values]) => `${name.padEnd(12)} ${median(values).toFixed(0).padStart(6)} ms`,
  );
  const ratio = median(times['driver']) / median(times['podman run']);
  process.stdout.write(
    `${lines.join('\n')}\nratio        ${ratio.toFixed(2).padStart(6)}  (budget 1.3 with the pod's own network)\n`,
  );
}

await main();
