import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Cluster, type Loose } from './cluster.ts';
import { podManifest } from './pods.ts';
import { mustRun } from './run.ts';

/** Pods come and go while the program is killed at any moment: the next start cleans what the last one left halfway. */
const cluster = new Cluster(41);
const NAMES = ['one', 'two', 'three'];
const LOOP_MS = 20_000;
const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

beforeAll(async () => {
  await cluster.start();
});

afterAll(async () => {
  await cluster.purge();
});

async function churn(round: number): Promise<void> {
  for (const [index, name] of NAMES.entries()) {
    const isWanted = (round + index) % 3 !== 0;
    if (isWanted) await cluster.kubectl(['apply', '-f', '-'], podManifest(name));
    else await cluster.kubectl(['delete', 'pod', name, '--wait=false', '--ignore-not-found']);
  }
}

/** Uids of pods, sorted, each once, of what there is of each kind on the machine. */
async function traces() {
  const { agentId, dataDir } = cluster;
  const runDir = `/run/skerry/${agentId}`;
  const uids = (lines: readonly string[]) =>
    [...new Set(lines.flatMap((line) => UID.exec(line) ?? []))].sort();
  const filter = `--filter=label=skerry.dev/agent=${agentId}`;
  const podman = await mustRun('podman', ['ps', '-a', filter, '--format={{.Names}}']);
  const cgroups = await mustRun('find', [
    '/sys/fs/cgroup',
    '-path',
    `*${agentId}/pod*`,
    '-type',
    'd',
  ]);
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const routes = await mustRun('ip', ['route']);
  return {
    containers: podman.split('\n').filter((name) => name !== '').length,
    containersOf: uids(podman.split('\n')),
    cgroups: uids(cgroups.split('\n')),
    mounts: uids(mounts.filter((line) => line.includes(runDir) || line.includes(dataDir))),
    pins: uids(readdirSync(join(runDir, 'ns'))),
    volumes: uids(readdirSync(join(dataDir, 'agent/pods'))),
    logs: uids(readdirSync(join(dataDir, 'agent/logs'))),
    addresses: [...routes.matchAll(/^(10\.141\.\S+) /gm)].map(([, ip]) => ip).sort(),
  };
}

it('a program that is killed again and again leaves nothing but the pods that are wanted', async () => {
  const end = performance.now() + LOOP_MS;
  for (let round = 0; performance.now() < end; round++) {
    if (round > 0) await cluster.launch();
    const program = cluster.program('up');
    const churning = program.line(/^ready: /m).then(
      () => churn(round),
      () => undefined,
    );
    // Most kills fall into the churn; every fourth one into the start, which cleans and adopts.
    if (round % 4 < 3) await program.line(/^ready: /m);
    await setTimeout(Math.random() * 1_000);
    await program.stop('SIGKILL');
    cluster.forget();
    await churning;
  }
  await cluster.start();
  for (const name of ['one', 'two']) {
    await vi.waitFor(async () => cluster.must(['apply', '-f', '-'], podManifest(name)), 20_000);
  }
  await cluster.must(['delete', 'pod', 'three', '--ignore-not-found', '--timeout=30s']);
  await vi.waitFor(
    async () => {
      const pods: Loose[] = await cluster.pods();
      expect(pods.map(({ metadata }) => metadata.name).sort()).toEqual(['one', 'two']);
      expect(pods.every(({ status }) => status.containerStatuses?.[0]?.ready)).toBe(true);
      expect(pods.every(({ metadata }) => metadata.deletionTimestamp === undefined)).toBe(true);
      const wanted = pods.map(({ metadata }) => metadata.uid).sort();
      expect(await traces()).toEqual({
        containers: pods.reduce(
          (sum, { status }) => sum + Math.min(2, 1 + status.containerStatuses[0].restartCount),
          0,
        ),
        containersOf: wanted,
        cgroups: wanted,
        mounts: wanted,
        pins: wanted,
        volumes: wanted,
        logs: wanted,
        addresses: pods.map(({ status }) => status.podIP).sort(),
      });
    },
    { timeout: 30_000, interval: 500 },
  );
});
