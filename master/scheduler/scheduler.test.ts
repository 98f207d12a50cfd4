import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findCondition } from '../../shared/meta/condition.ts';
import { ManualClock } from '../../shared/reconcile/manual-clock.ts';
import { CATALOG } from '../../shared/resources/catalog.ts';
import { EVENTS } from '../../shared/resources/event.ts';
import { NAMESPACES } from '../../shared/resources/namespace.ts';
import { NODES } from '../../shared/resources/node.ts';
import { PODS } from '../../shared/resources/pod.ts';
import type { NodeStatus } from '../../shared/schema/kubernetes-types.ts';
import { silentLogger as log } from '../../shared/silent-logger.ts';
import { EventRecorder } from '../store/event-recorder.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { Registry } from '../store/registry.ts';
import { ClusterView } from './cluster-view.ts';
import { Scheduler } from './scheduler.ts';

const namespace = 'home';
let clock: ManualClock;
let registry: Registry;

beforeEach(async () => {
  clock = new ManualClock();
  const store = new MemoryStore();
  await store.open();
  let uid = 0;
  registry = new Registry({ store, clock, kinds: CATALOG, newUid: () => `u${++uid}` });
  await registry.open();
  await registry.create(NAMESPACES, { metadata: { name: namespace } } as never);
});

async function createNode(name: string, status: NodeStatus = {}): Promise<void> {
  await registry.create(NODES, { metadata: { name } } as never);
  await setStatus(name, status);
}

async function setStatus(name: string, status: NodeStatus): Promise<void> {
  const ready = { type: 'Ready', status: 'True' };
  const next = { conditions: [ready], allocatable: { cpu: '2', pods: '110' }, ...status };
  await registry.update(
    NODES,
    { namespace: '', name },
    (node) => ({ ...node, status: { ...node.status, ...next } }),
    { subresource: 'status' },
  );
}

async function createPod(name: string, cpu = '1'): Promise<void> {
  const containers = [{ name: 'main', image: 'app:1', resources: { requests: { cpu } } }];
  await registry.create(PODS, { metadata: { name, namespace }, spec: { containers } } as never);
}

const pod = (name: string) => registry.get(PODS, { namespace, name });
const scheduled = (name: string) => findCondition(pod(name).status.conditions, 'PodScheduled');

describe('the scheduler', () => {
  let scheduler: Scheduler;

  beforeEach(() => {
    const events = new EventRecorder({ registry, clock, log });
    scheduler = new Scheduler({ registry, clock, events, log });
    scheduler.start();
  });

  afterEach(() => scheduler.stop());

  test('gives a pod the node that has room for it, and says so', async () => {
    await createNode('small', { allocatable: { cpu: '500m', pods: '110' } });
    await createNode('large');
    await createPod('web');
    await vi.waitFor(() => expect(pod('web').spec.nodeName).toBe('large'));
    expect(scheduled('web')).toMatchObject({ status: 'True' });
    await vi.waitFor(() =>
      expect(registry.list(EVENTS)).toMatchObject([
        { reason: 'Scheduled', message: 'Successfully assigned home/web to large' },
      ]),
    );
  });

  test('lets pods that come together see each other', async () => {
    await createNode('one');
    await Promise.all([createPod('a'), createPod('b'), createPod('c')]);
    await vi.waitFor(() => {
      const placed = registry.list(PODS).filter(({ spec }) => spec.nodeName === 'one');
      const waiting = registry
        .list(PODS)
        .filter(({ status }) =>
          findCondition(status.conditions, 'PodScheduled')?.message?.includes('Insufficient cpu'),
        );
      expect([placed.length, waiting.length]).toEqual([2, 1]);
    });
  });

  test('places a pod that waited as soon as there is room', async () => {
    await createNode('one', { allocatable: { cpu: '1', pods: '110' } });
    await createPod('first');
    await vi.waitFor(() => expect(pod('first').spec.nodeName).toBe('one'));
    await createPod('second');
    await vi.waitFor(() =>
      expect(scheduled('second')).toMatchObject({
        status: 'False',
        reason: 'Unschedulable',
        message: '0/1 nodes are available: 1 Insufficient cpu.',
      }),
    );
    await registry.delete(PODS, { namespace, name: 'first' }, { gracePeriodSeconds: 0 });
    await vi.waitFor(() => expect(pod('second').spec.nodeName).toBe('one'));
  });

  test('places a pod that waited when a node becomes ready', async () => {
    await createNode('one', { conditions: [{ type: 'Ready', status: 'False' }] });
    await createPod('web');
    await vi.waitFor(() => expect(scheduled('web')?.status).toBe('False'));
    await setStatus('one', {});
    await vi.waitFor(() => expect(pod('web').spec.nodeName).toBe('one'));
  });
});

describe('the view of the cluster', () => {
  let rooms: number;
  let view: ClusterView;

  beforeEach(async () => {
    await createNode('one');
    rooms = 0;
    view = new ClusterView(registry, () => {
      rooms += 1;
    });
    view.start();
  });

  afterEach(() => view.stop());

  test('a status report that changes no place lets no waiting pod try again', async () => {
    await setStatus('one', {
      conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-01T00:00:00Z' }],
      images: [{ names: ['app:1'], sizeBytes: 1 }],
    });
    expect(rooms).toBe(0);
  });

  test.each<[string, NodeStatus]>([
    ['more to give', { allocatable: { cpu: '4', pods: '110' } }],
    ['another readiness', { conditions: [{ type: 'Ready', status: 'False' }] }],
  ])('%s does', async (_what, status) => {
    await setStatus('one', status);
    expect(rooms).toBe(1);
  });

  test('another label, and the end of a cordon, do', async () => {
    const key = { namespace: '', name: 'one' };
    await registry.update(NODES, key, (node) => ({ ...node, spec: { unschedulable: true } }));
    await registry.update(NODES, key, (node) => ({ ...node, spec: {} }));
    const labels = { disk: 'ssd' };
    await registry.update(NODES, key, (node) => ({
      ...node,
      metadata: { ...node.metadata, labels },
    }));
    expect(rooms).toBe(3);
  });
});
