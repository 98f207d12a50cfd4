import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Pod, PodStatus } from '../../shared/schema/kubernetes-types.ts';
import { silentLogger } from '../../shared/silent-logger.ts';
import { runCommand } from '../host/command.ts';
import { SystemClock } from '../host/system-clock.ts';
import { mountsUnder } from '../host/tmpfs.ts';
import type { Report } from '../link/outbox.ts';
import { RoutedPodNetwork } from '../network/pod-network.ts';
import { importBusyboxImages, removeBusyboxImages } from '../runtime/contract-images.ts';
import { PodmanRuntime } from '../runtime/podman.ts';
import { NamespacePins } from '../sandbox/namespace-pins.ts';
import { AgentPodCgroups } from '../sandbox/pod-cgroups.ts';
import { SavedPodSources } from '../state/pod-sources.ts';
import { LogFolders } from '../streams/log-folders.ts';
import { LogStreamHandler } from '../streams/logs.ts';
import { NodePodVolumes } from '../volumes/pod-volumes.ts';
import { PodWorker } from './pod-worker.ts';
import { container, deleted, MemoryState, pod } from './testing/pod-bench.ts';

/** Pods on real podman, in real namespaces, with real volumes and logs. */
const agentId = `t${process.pid}`;
const root = mkdtempSync(join(tmpdir(), 'skerry-pods-'));
const clock = new SystemClock();
const state = new MemoryState();
const reports: Report[] = [];
const events: string[] = [];
const folders = new LogFolders(join(root, 'logs'), (uid, name, attempt) => {
  const id = worker.runningContainer(uid, name, attempt);
  return id === undefined ? undefined : () => runtime.reopenLog(id);
});
const sources = new SavedPodSources(state);
const node = {
  name: 'node1',
  ip: () => '192.0.2.1',
  memoryBytes: 1 << 30,
  allocatable: () => ({ cpuMilli: 2000, memoryBytes: 1 << 30 }),
};
const volumes = new NodePodVolumes({
  diskRoot: join(root, 'pods'),
  memoryRoot: join(root, 'memory'),
  sources,
  node,
  clusterDomain: () => 'cluster.local',
  sharedMemoryBytes: 1 << 26,
});
const network = new RoutedPodNetwork({
  agentId,
  pins: new NamespacePins(join(root, 'pins')),
  nodeIp: node.ip,
  podCidr: () => '10.231.77.0/28',
  log: silentLogger,
});
const runtime = new PodmanRuntime({
  agentId,
  stateDir: join(root, 'runtime'),
  runDir: join(root, 'run'),
  log: silentLogger,
  nowMs: () => Date.now(),
});
const cgroups = new AgentPodCgroups(`/skerry-${agentId}`);
let worker = newWorker();
let image = '';

function newWorker(): PodWorker {
  return new PodWorker({
    agentId,
    runtime,
    cgroups,
    network,
    volumes,
    logs: folders,
    state,
    sources,
    outbox: { put: (report) => reports.push(report), withdraw: () => {} },
    events: { record: (_about, { reason, message }) => events.push(`${reason}: ${message}`) },
    node,
    clock,
    log: silentLogger,
  });
}

beforeAll(async () => {
  ({ image } = await importBusyboxImages());
  await network.start();
  await worker.start();
});

afterAll(async () => {
  await worker.stop();
  await runtime.purge();
  await network.purge();
  await volumes.purge();
  await removeBusyboxImages();
  await runCommand('umount', ['-R', join(root, 'pins')], { allowFailure: true });
  rmSync(root, { recursive: true, force: true });
});

function put(one: Pod): void {
  state.put(`pods/default/${one.metadata.name}`, one);
}

function reportOf(one: Pod): { status: PodStatus; gone?: boolean } | undefined {
  const found = reports.findLast(({ body }) => body['uid'] === one.metadata.uid);
  return found?.body as unknown as { status: PodStatus; gone?: boolean } | undefined;
}

const until = (check: () => void) => vi.waitFor(check, { timeout: 30_000, interval: 20 });

async function logOf(one: Pod, name: string, more = {}): Promise<string> {
  let text = '';
  const handler = new LogStreamHandler({ folders, runs: worker, nowMs: () => Date.now() });
  const { uid, name: podName } = one.metadata;
  await handler.serve(
    { namespace: 'default', pod: podName, uid, container: name, ...more },
    {
      write: async (chunk) => {
        text += Buffer.from(chunk).toString();
      },
    },
    new AbortController().signal,
  );
  return text;
}

const SCRIPT = [
  'trap "echo bye; exit 7" TERM',
  'echo "$GREETING from $(cat /etc/hostname) at $IP"',
  'cat /cfg/file',
  'grep -c "p$" /etc/hosts',
  'echo $$ > /shared/pid',
  'while true; do sleep 0.1; done',
].join('; ');

describe('pods on podman', () => {
  const one = pod('p', {
    volumes: [
      { name: 'cfg', configMap: { name: 'cfg' } },
      { name: 'shared', emptyDir: {} },
    ],
  });

  it('run with their environment, volumes and names', async () => {
    state.put('configmaps/default/cfg', {
      metadata: { name: 'cfg' },
      data: { file: 'configured\n', greeting: 'hello' },
    });
    one.spec.containers = [
      container('web', {
        image,
        command: ['sh', '-c', SCRIPT],
        env: [
          { name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'cfg', key: 'greeting' } } },
          { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        ],
        volumeMounts: [
          { name: 'cfg', mountPath: '/cfg' },
          { name: 'shared', mountPath: '/shared' },
        ],
      }),
    ];
    put(one);
    await until(() => expect(reportOf(one)?.status.phase).toBe('Running'));
    const ip = reportOf(one)?.status.podIP;
    await vi.waitFor(async () =>
      expect(await logOf(one, 'web')).toBe(`hello from p at ${ip}\nconfigured\n1\n`),
    );
  });

  it('are adopted by another worker', async () => {
    const id = reportOf(one)?.status.containerStatuses?.[0]?.containerID;
    await worker.stop();
    worker = newWorker();
    reports.length = 0;
    await worker.start();
    await until(() => expect(reportOf(one)?.status.phase).toBe('Running'));
    expect(reportOf(one)?.status.containerStatuses?.[0]?.containerID).toBe(id);
  });

  it('are restarted when they die, with the code that they ended with', async () => {
    const [running] = (await runtime.list()).filter(({ state: is }) => is === 'running');
    await runtime.signal(running?.id ?? '', 'KILL');
    await until(() => {
      const status = reportOf(one)?.status.containerStatuses?.[0];
      expect(status?.restartCount).toBe(1);
      expect(status?.lastState?.terminated).toMatchObject({ exitCode: 137, reason: 'Error' });
      expect(status?.state?.running).toBeDefined();
    });
    expect(await logOf(one, 'web', { previous: true, tailLines: 1 })).toBe('1\n');
  });

  it('write on after their log was rotated', async () => {
    await folders.bound(10, 3);
    const { uid } = one.metadata;
    const owner = { namespace: 'default', name: 'p', uid };
    expect(await folders.files(owner, 'web', 1)).toHaveLength(2);
    put(deleted(one, 10));
    await vi.waitFor(async () => {
      const file = (await folders.files(owner, 'web', 1)).at(-1) ?? '';
      // Written for appending: no hole where the old lines were.
      expect(readFileSync(file, 'utf8')).toMatch(/^20\S+ stdout F bye\n$/);
    });
  });

  it('end on request with their own code, and leave nothing', async () => {
    put(deleted(one, 10));
    await until(() => expect(reportOf(one)?.gone).toBe(true));
    const ended = reportOf(one)?.status.containerStatuses?.[0]?.state?.terminated;
    expect(ended).toMatchObject({ exitCode: 7, reason: 'Error' });
    expect(await runtime.list()).toEqual([]);
    expect(await network.list()).toEqual([]);
    expect(await volumes.list()).toEqual([]);
    expect(await cgroups.list()).toEqual([]);
    expect(mountsUnder(root).filter((path) => path.includes('/memory/'))).toEqual([]);
    state.put('pods/default/p', undefined);
    await vi.waitFor(async () => expect(await folders.list()).toEqual([]));
  });

  it('share one /dev/shm between their containers, and take it along', async () => {
    const writer = 'echo shared > /dev/shm/word; exec sleep 1000';
    const reader = 'until cat /dev/shm/word; do sleep 0.05; done; df /dev/shm; exec sleep 1000';
    const two = pod('shm', {
      containers: [
        container('writer', { image, command: ['sh', '-c', writer] }),
        container('reader', { image, command: ['sh', '-c', `(${reader}) 2>/dev/null`] }),
      ],
    });
    put(two);
    await until(() => expect(reportOf(two)?.status.phase).toBe('Running'));
    await vi.waitFor(async () =>
      expect(await logOf(two, 'reader')).toMatch(/^shared\n(.*\n)*.* 65536 .* \/dev\/shm\n$/),
    );
    put(deleted(two, 0));
    await until(() => expect(reportOf(two)?.gone).toBe(true));
    expect(await cgroups.list()).toEqual([]);
    expect(mountsUnder(root).filter((path) => path.includes('/memory/'))).toEqual([]);
    state.put('pods/default/shm', undefined);
    await vi.waitFor(async () => expect(await folders.list()).toEqual([]));
  });
});
