import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type Loose, SAMPLE } from './cluster.ts';
import { podManifest } from './pods.ts';
import { mustRun, run } from './run.ts';

/** What lasts when programs end, are killed, or are away. */

const byName = (left: Loose, right: Loose) => left.metadata.name.localeCompare(right.metadata.name);

/** What must not change: container ids, restart counts, addresses. */
async function lives(cluster: Cluster, namespace: string) {
  return (await cluster.pods(namespace)).sort(byName).map(({ metadata, status }) => ({
    name: metadata.name,
    uid: metadata.uid,
    podIP: status.podIP,
    containers: status.containerStatuses?.map(({ containerID, restartCount, ready }: Loose) => ({
      containerID,
      restartCount,
      ready,
    })),
  }));
}

describe('skerry up', () => {
  const cluster = new Cluster(3);

  beforeAll(async () => {
    await cluster.start();
    await cluster.must(['apply', '-f', SAMPLE]);
    for (const name of ['front', 'back']) {
      await cluster.must(['-n', 'sample', 'rollout', 'status', `deploy/${name}`, '--timeout=60s']);
    }
  });

  afterAll(async () => {
    await cluster.purge();
  });

  it('stops within 3 s of SIGTERM, and finds everything as it was at its next start', async () => {
    const before = await lives(cluster, 'sample');
    const containers = await cluster.runningContainers();
    expect(containers).toHaveLength(5);
    const ended = await cluster.program('up').stop('SIGTERM');
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(ended.tookMs).toBeLessThan(3_000);
    expect(await cluster.runningContainers()).toEqual(containers);
    cluster.forget();
    await cluster.start();
    expect(await lives(cluster, 'sample')).toEqual(before);
    expect(await cluster.runningContainers()).toEqual(containers);
  });

  it('keeps container ids, addresses and restart counts over kill -9', async () => {
    const before = await lives(cluster, 'sample');
    const containers = await cluster.runningContainers();
    await cluster.program('up').stop('SIGKILL');
    cluster.forget();
    await cluster.start();
    expect(await lives(cluster, 'sample')).toEqual(before);
    expect(await cluster.runningContainers()).toEqual(containers);
    // A container that was adopted is still watched.
    const [pod] = await cluster.pods('sample', '?labelSelector=tier%3Dback');
    const id = pod.status.containerStatuses[0].containerID.replace('podman://', '');
    await mustRun('podman', ['kill', id]);
    const after = await cluster.until(
      `/api/v1/namespaces/sample/pods/${pod.metadata.name}`,
      ({ status }) => {
        const [store] = status.containerStatuses;
        return store.restartCount === 1 && store.ready;
      },
    );
    expect(after.status.podIP).toBe(pod.status.podIP);
  });

  it('counts a container that ended while it was away', async () => {
    const [pod] = await cluster.pods('sample', '?labelSelector=tier%3Dfront');
    const web = (one: Loose) =>
      one.status.containerStatuses.find(({ name }: Loose) => name === 'web');
    await cluster.program('up').stop('SIGKILL');
    cluster.forget();
    await mustRun('podman', ['kill', web(pod).containerID.replace('podman://', '')]);
    await cluster.start();
    const after = await cluster.until(
      `/api/v1/namespaces/sample/pods/${pod.metadata.name}`,
      (one) => web(one).restartCount === 1 && web(one).ready,
    );
    expect(web(after).lastState.terminated).toMatchObject({
      exitCode: 137,
      containerID: web(pod).containerID,
    });
    expect(after.status.podIP).toBe(pod.status.podIP);
  });

  it('loses no acknowledged object to kill -9 in the middle of 200 applies, and restarts no container', async () => {
    const before = await lives(cluster, 'sample');
    const containers = await cluster.runningContainers();
    const acknowledged: string[] = [];
    const applyAll = async (from: number) => {
      for (let number = from; number < 200; number += 4) {
        const name = `object-${number}`;
        const body = {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name },
          data: { number: `${number}` },
        };
        // As kubectl does: create, else patch.
        await cluster.api.json('POST', '/api/v1/namespaces/default/configmaps', { body });
        acknowledged.push(name);
        if (acknowledged.length === 100) process.kill(cluster.program('up').pid, 'SIGKILL');
      }
    };
    await Promise.allSettled([0, 1, 2, 3].map(applyAll));
    expect(acknowledged.length).toBeGreaterThanOrEqual(100);
    expect(acknowledged.length).toBeLessThan(200);
    await cluster.program('up').ended();
    cluster.forget();
    await cluster.start();
    const { items } = await cluster.get('/api/v1/namespaces/default/configmaps');
    const kept = new Set(items.map(({ metadata }: Loose) => metadata.name));
    expect(acknowledged.filter((name) => !kept.has(name))).toEqual([]);
    expect(await lives(cluster, 'sample')).toEqual(before);
    expect(await cluster.runningContainers()).toEqual(containers);
  });

  it('kill -9 while kubectl applies 200 objects: what kubectl reported is there', async () => {
    const items = Array.from({ length: 200 }, (_, number) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `applied-${number}` },
      data: { number: `${number}` },
    }));
    await mustRun('sh', ['-c', `cat >${cluster.folder}/list.json`], {
      stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    });
    const applying = cluster.kubectlProgram(['apply', '-f', `${cluster.folder}/list.json`]);
    await applying.line(/applied-60 created/);
    await cluster.program('up').stop('SIGKILL');
    await applying.ended();
    cluster.forget();
    await cluster.start();
    const reported = [...applying.output.matchAll(/configmap\/(\S+) created/g)].map(
      ([, name]) => name,
    );
    const found = (await cluster.get('/api/v1/namespaces/default/configmaps')).items;
    const kept = new Set(found.map(({ metadata }: Loose) => metadata.name));
    expect(reported.filter((name) => !kept.has(name))).toEqual([]);
    expect(reported.length).toBeGreaterThan(60);
  });
});

describe('an agent whose master is away', () => {
  const cluster = new Cluster(4);
  const names = ['one', 'two', 'three'];

  beforeEach(async () => {
    if (cluster.port === 0) {
      await cluster.start('master');
      const token = await cluster.token();
      await cluster.start('agent', '--server', cluster.server, '--token', token);
    }
    // New ones each time: a second restart would wait its back-off.
    await cluster.must(['delete', 'pod', '--all', '--timeout=60s']);
    await cluster.must(['apply', '-f', '-'], names.map((name) => podManifest(name)).join('\n'));
    for (const name of names) await cluster.running(name);
    await cluster.program('master').stop('SIGKILL');
    cluster.forget();
  });

  afterEach(async () => {
    if (cluster.program('master').exit !== undefined) await cluster.start('master');
  });

  afterAll(async () => {
    await cluster.purge();
  });

  /** Resolves when so many containers run, none of them one of `gone`. */
  async function untilRunning(count: number, gone: readonly string[]): Promise<void> {
    await expect
      .poll(
        async () => {
          const found = await cluster.runningContainers();
          return { count: found.length, old: found.filter((id) => gone.includes(id)) };
        },
        { timeout: 60_000, interval: 200 },
      )
      .toEqual({ count, old: [] });
  }

  it('restarts a container that is killed, and tells the master when it returns', async () => {
    const [killed = '', ...others] = await cluster.runningContainers();
    await mustRun('podman', ['kill', killed]);
    await untilRunning(3, [killed]);
    expect(await cluster.runningContainers()).toEqual(expect.arrayContaining(others));
    await cluster.start('master');
    const restarted = (pods: Loose[]) =>
      pods.filter(({ status }) => status.containerStatuses[0].restartCount === 1);
    await expect
      .poll(async () => restarted(await cluster.pods()).length, { timeout: 120_000 })
      .toBe(1);
  });

  it('brings every pod back after its own end and that of all containers, without a master', async () => {
    await cluster.program('agent').stop('SIGTERM');
    const all = await cluster.runningContainers();
    expect(all).toHaveLength(3);
    await run('podman', ['kill', ...all]);
    expect(await cluster.runningContainers()).toEqual([]);
    await cluster.start('agent');
    await untilRunning(3, all);
    const now = await cluster.runningContainers();
    await cluster.start('master');
    await expect
      .poll(
        async () => {
          const statuses = (await cluster.pods()).map(({ status }) => status.containerStatuses[0]);
          return statuses
            .map(({ containerID, ready }) => (ready ? containerID.replace('podman://', '') : ''))
            .sort();
        },
        { timeout: 120_000 },
      )
      .toEqual(now);
    await cluster.must(['wait', 'node', '--all', '--for=condition=Ready', '--timeout=60s']);
  });

  it('keeps its containers when its saved state is damaged, and their pods when the master is back', async () => {
    await cluster.program('agent').stop('SIGTERM');
    const all = await cluster.runningContainers();
    expect(all).toHaveLength(3);
    const log = join(cluster.dataDir, 'agent/state/state.log');
    const damaged = Buffer.alloc(readFileSync(log).length, 'noise');
    writeFileSync(log, damaged);
    const agent = await cluster.start('agent');
    await agent.line(/state\.log is damaged/);
    await agent.line(/pods wait for the master/);
    expect(readFileSync(`${log}.damaged`)).toEqual(damaged);
    expect(await cluster.runningContainers()).toEqual(all);
    await cluster.start('master');
    await cluster.must(['delete', 'pod', 'one', '--timeout=60s']);
    for (const name of ['two', 'three']) await cluster.running(name);
    const left = (await lives(cluster, 'default')).flatMap(({ containers }) => containers);
    expect(left.map(({ restartCount }) => restartCount)).toEqual([0, 0]);
    const ids = await cluster.runningContainers();
    expect(ids).toHaveLength(2);
    expect(all).toEqual(expect.arrayContaining(ids));
  });

  it('ends a pod that was deleted, and starts one that was made, when the master is back', async () => {
    await cluster.start('master');
    await cluster.program('agent').stop('SIGKILL');
    await cluster.must(['delete', 'pod', 'one', '--wait=false']);
    await cluster.must(['apply', '-f', '-'], podManifest('four'));
    await cluster.must(['apply', '-f', '-'], podManifest('one-more'));
    await cluster.start('agent');
    await cluster.running('four');
    await cluster.running('one-more');
    await cluster.must(['wait', 'pod/one', '--for=delete', '--timeout=60s']);
    expect(await cluster.runningContainers()).toHaveLength(4);
  });
});
