import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ManualClock } from '../../../shared/reconcile/manual-clock.ts';
import { CATALOG } from '../../../shared/resources/catalog.ts';
import { NAMESPACES } from '../../../shared/resources/namespace.ts';
import { NODES } from '../../../shared/resources/node.ts';
import { PODS } from '../../../shared/resources/pod.ts';
import type { ObjectMeta, Pod } from '../../../shared/schema/kubernetes-types.ts';
import { silentLogger as log } from '../../../shared/silent-logger.ts';
import { EventRecorder } from '../../store/event-recorder.ts';
import { MemoryStore } from '../../store/memory-store.ts';
import { Registry } from '../../store/registry.ts';
import { ControllerRunner } from '../controller-runner.ts';
import { PodsByNode } from '../pods-by-node.ts';
import { podGarbageCollector } from './pod-gc.ts';

let clock: ManualClock;
let registry: Registry;
let pods: PodsByNode;
let runner: ControllerRunner;

const named = (name: string): ObjectMeta => ({
  name,
  uid: '',
  resourceVersion: '',
  creationTimestamp: '',
});

beforeEach(async () => {
  clock = new ManualClock();
  const store = new MemoryStore();
  await store.open();
  let uid = 0;
  registry = new Registry({ store, clock, kinds: CATALOG, newUid: () => `u${++uid}` });
  await registry.open();
  await registry.create(NAMESPACES, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: named('default'),
    spec: {},
    status: {},
  });
  pods = new PodsByNode(registry);
  pods.start();
  const parts = { registry, clock, log, events: new EventRecorder({ registry, clock, log }) };
  runner = new ControllerRunner(podGarbageCollector(parts, pods), parts);
  runner.start();
});

afterEach(async () => {
  await runner.stop();
  pods.stop();
});

const addNode = (name: string) =>
  registry.create(NODES, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: named(name),
    spec: {},
    status: {},
  });

const addPod = (name: string, nodeName: string) =>
  registry.create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...named(name), namespace: 'default' },
    spec: { containers: [{ name: 'main', image: 'busybox' }], nodeName },
    status: {},
  } as Pod);

const names = () => registry.list(PODS).map(({ metadata }) => metadata.name);

test('the pods of a deleted node go 40 seconds later, those of others stay', async () => {
  await addNode('a');
  await addNode('b');
  await addPod('on-a', 'a');
  await addPod('on-b', 'b');
  await registry.delete(NODES, { namespace: '', name: 'a' });
  await vi.waitFor(() => expect(clock.pending).toBe(1));
  clock.advance(39_000);
  expect(names()).toEqual(['on-a', 'on-b']);
  clock.advance(1000);
  await vi.waitFor(() => expect(names()).toEqual(['on-b']));
  expect(clock.pending).toBe(0);
});

test('a node that comes back in time keeps its pods', async () => {
  await addNode('a');
  await addPod('on-a', 'a');
  await registry.delete(NODES, { namespace: '', name: 'a' });
  await vi.waitFor(() => expect(clock.pending).toBe(1));
  clock.advance(20_000);
  await addNode('a');
  clock.advance(60_000);
  await vi.waitFor(() => expect(clock.pending).toBe(0));
  expect(names()).toEqual(['on-a']);
});

test('a pod that was bound to a node that never was goes too', async () => {
  await addPod('nowhere', 'ghost');
  await vi.waitFor(() => expect(clock.pending).toBe(1));
  clock.advance(40_000);
  await vi.waitFor(() => expect(names()).toEqual([]));
});
