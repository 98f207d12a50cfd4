import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ManualClock } from '../../../shared/reconcile/manual-clock.ts';
import { CATALOG } from '../../../shared/resources/catalog.ts';
import { NAMESPACES } from '../../../shared/resources/namespace.ts';
import { PODS } from '../../../shared/resources/pod.ts';
import { REPLICA_SETS } from '../../../shared/resources/replica-set.ts';
import type { Pod } from '../../../shared/schema/kubernetes-types.ts';
import { silentLogger as log } from '../../../shared/silent-logger.ts';
import { EventRecorder } from '../../store/event-recorder.ts';
import { MemoryStore } from '../../store/memory-store.ts';
import { Registry } from '../../store/registry.ts';
import type { Controller } from '../controller.ts';
import { ControllerRunner } from '../controller-runner.ts';
import { OwnedObjects } from '../owned-objects.ts';
import { replicaSetController } from './replicaset-controller.ts';

const namespace = 'home';
let registry: Registry;
let owned: OwnedObjects<Pod>;
let runner: ControllerRunner;
let woken: string[];

beforeEach(async () => {
  const clock = new ManualClock();
  const store = new MemoryStore();
  await store.open();
  let uid = 0;
  registry = new Registry({ store, clock, kinds: CATALOG, newUid: () => `u${++uid}` });
  await registry.open();
  await registry.create(NAMESPACES, { metadata: { name: namespace } } as never);
  const parts = { registry, clock, log, events: new EventRecorder({ registry, clock, log }) };
  owned = new OwnedObjects(registry, PODS);
  owned.start();
  woken = [];
  const controller = replicaSetController(parts, owned);
  const watched: Controller = {
    ...controller,
    reconcile: (key, signal) => {
      woken.push(key);
      return controller.reconcile(key, signal);
    },
  };
  runner = new ControllerRunner(watched, parts);
  runner.start();
});

afterEach(async () => {
  await runner.stop();
  owned.stop();
});

function template(app: string) {
  return {
    metadata: { labels: { app } },
    spec: { containers: [{ name: 'main', image: 'app:1' }] },
  };
}

async function createReplicaSet(app: string, replicas: number): Promise<void> {
  await registry.create(REPLICA_SETS, {
    metadata: { name: app, namespace },
    spec: { replicas, selector: { matchLabels: { app } }, template: template(app) },
  } as never);
}

const createPod = (name: string, app: string) => {
  const { metadata, spec } = template(app);
  return registry.create(PODS, { metadata: { ...metadata, name, namespace }, spec } as never);
};

const pods = () => registry.list(PODS, namespace);

test('missing pods are made, and a pod that goes is made anew', async () => {
  await createReplicaSet('web', 2);
  await vi.waitFor(() => expect(pods()).toHaveLength(2));
  const [first] = pods();
  await registry.delete(
    PODS,
    { namespace, name: first?.metadata.name ?? '' },
    { gracePeriodSeconds: 0 },
  );
  await vi.waitFor(() => expect(pods()).toHaveLength(2));
  expect(pods().map(({ metadata }) => metadata.ownerReferences?.[0]?.name)).toEqual(['web', 'web']);
});

test('a pod without an owner is adopted by the ReplicaSet that selects it, and wakes no other one', async () => {
  await createReplicaSet('web', 1);
  await createReplicaSet('db', 1);
  await vi.waitFor(() => expect(pods()).toHaveLength(2));
  await vi.waitFor(() =>
    expect(registry.list(REPLICA_SETS).map(({ status }) => status.replicas)).toEqual([1, 1]),
  );
  woken = [];
  await createPod('stray', 'web');
  // Adopted, it is one too many: one of the two goes.
  await vi.waitFor(() => expect(pods()).toHaveLength(2));
  expect(new Set(woken)).toEqual(new Set([`${namespace}/web`]));
});
