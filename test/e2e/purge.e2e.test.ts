import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Cluster, SAMPLE, SKERRY } from './cluster.ts';
import { type Leftovers, leftovers, NOTHING } from './leftovers.ts';
import { mustRun, run } from './run.ts';
import { SAMPLE_IMAGE } from './sample-image.ts';

/** Two clusters side by side: what one leaves, and what the other notices of it. */
const first = new Cluster(5);
const second = new Cluster(6);
/** A container of the machine's own user, beside them. */
const foreign = `e2e-foreign-${process.pid}`;

beforeAll(async () => {
  await Promise.all([first.start(), second.start()]);
  await Promise.all([first, second].map(sample));
  const options = ['--cgroup-manager=cgroupfs', '--runtime=runc', 'run', '-d', '--name', foreign];
  const limits = ['--network=none', '--ulimit=nofile=1024:1024', '--ulimit=nproc=1024:1024'];
  await mustRun('podman', [...options, ...limits, SAMPLE_IMAGE, 'sleep', '3600']);
});

afterAll(async () => {
  await run('podman', ['rm', '-f', '-t', '0', foreign]);
  await Promise.all([first.purge(), second.purge()]);
});

async function sample(cluster: Cluster): Promise<void> {
  await cluster.must(['apply', '-f', SAMPLE]);
  for (const name of ['front', 'back']) {
    await cluster.must(['-n', 'sample', 'rollout', 'status', `deploy/${name}`, '--timeout=90s']);
  }
}

const found = (cluster: Cluster, agentId: string) =>
  leftovers({ agentId, dataDir: cluster.dataDir, podPrefix: `10.${100 + cluster.number}.` });

/** The engine's monitors tidy up for a moment behind their containers. */
const expectLeft = (cluster: Cluster, agentId: string, left: Leftovers) =>
  expect.poll(() => found(cluster, agentId), { timeout: 10_000 }).toEqual(left);

const down = (cluster: Cluster, ...options: string[]) =>
  run(SKERRY, ['down', '--data-dir', cluster.dataDir, ...options]);

it('down stops programs and containers, and up brings the pods back', async () => {
  const agentId = first.agentId;
  const result = await down(first);
  expect(result).toMatchObject({ code: 0 });
  expect(result.stdout).toContain('5 containers stopped');
  await expect
    .poll(async () => (await found(first, agentId)).processes, { timeout: 10_000 })
    .toEqual([]);
  expect(first.program('up').exit).toMatchObject({ code: 0 });
  first.forget();
  expect(await first.runningContainers()).toEqual([]);
  await first.start();
  // The statuses are those of before until the agent has looked.
  await expect.poll(() => first.runningContainers(), { timeout: 60_000 }).toHaveLength(5);
  await first.must([
    '-n',
    'sample',
    'wait',
    'pod',
    '--all',
    '--for=condition=Ready',
    '--timeout=60s',
  ]);
  expect(await first.pods('sample')).toHaveLength(3);
});

it('down --purge leaves nothing, and the cluster beside it untouched', async () => {
  const agentId = first.agentId;
  const before = await found(first, agentId);
  for (const [what, list] of Object.entries(before)) {
    // There are no rules before there are services in the proxy.
    if (what !== 'namespaces') expect({ what, count: list.length }).not.toEqual({ what, count: 0 });
  }
  const beside = await found(second, second.agentId);
  const result = await down(first, '--purge');
  expect(result).toMatchObject({ code: 0 });
  await expectLeft(first, agentId, NOTHING);
  expect(existsSync(first.dataDir)).toBe(false);
  const still = await found(second, second.agentId);
  expect({ ...still, dataFiles: [] }).toEqual({ ...beside, dataFiles: [] });
  expect(await second.must(['-n', 'sample', 'get', 'pods'])).toMatch(/2\/2 +Running +0 /);
  expect(await mustRun('podman', ['inspect', '--format', '{{.State.Status}}', foreign])).toBe(
    'running\n',
  );
});

it('down --purge leaves nothing after kill -9, and keeps what the user put there', async () => {
  const agentId = second.agentId;
  writeFileSync(join(second.dataDir, 'notes.txt'), 'mine');
  await second.program('up').stop('SIGKILL');
  const result = await down(second, '--purge');
  expect(result).toMatchObject({ code: 0 });
  await expectLeft(second, agentId, { ...NOTHING, dataFiles: ['notes.txt', '.'] });
});

it('down --purge on nothing is no error', async () => {
  const result = await down(first, '--purge');
  expect(result).toMatchObject({ code: 0, stderr: '' });
});
