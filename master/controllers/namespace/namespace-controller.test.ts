import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import { ManualClock } from '../../../shared/reconcile/manual-clock.ts';
import { CATALOG } from '../../../shared/resources/catalog.ts';
import { CONFIG_MAPS } from '../../../shared/resources/config-map.ts';
import { NAMESPACES } from '../../../shared/resources/namespace.ts';
import { silentLogger as log } from '../../../shared/silent-logger.ts';
import { EventRecorder } from '../../store/event-recorder.ts';
import { MemoryStore } from '../../store/memory-store.ts';
import { Registry } from '../../store/registry.ts';
import { ControllerRunner } from '../controller-runner.ts';
import { namespaceController } from './namespace-controller.ts';

let clock: ManualClock;
let registry: Registry;
let runner: ControllerRunner;

beforeEach(async () => {
  clock = new ManualClock();
  const store = new MemoryStore();
  await store.open();
  let uid = 0;
  registry = new Registry({ store, clock, kinds: CATALOG, newUid: () => `u${++uid}` });
  await registry.open();
  const parts = { registry, clock, log, events: new EventRecorder({ registry, clock, log }) };
  runner = new ControllerRunner(namespaceController(parts, CATALOG), parts);
  runner.start();
  await registry.create(NAMESPACES, {
    ...object('Namespace', { name: 'doomed' }),
    spec: { finalizers: ['kubernetes'] },
  } as never);
});

afterEach(() => runner.stop());

function object(kind: string, metadata: { name: string; namespace?: string }): KubeObject {
  return { apiVersion: 'v1', kind, metadata } as KubeObject;
}

const addContent = () =>
  registry.create(CONFIG_MAPS, object('ConfigMap', { name: 'a', namespace: 'doomed' }) as never);
const deleteNamespace = () => registry.delete(NAMESPACES, { namespace: '', name: 'doomed' });
const found = () => ({
  namespaces: registry.list(NAMESPACES).length,
  contents: registry.list(CONFIG_MAPS).length,
});

test('a namespace keeps its contents for 5 s after its deletion, then loses them and goes', async () => {
  await addContent();
  await deleteNamespace();
  await vi.waitFor(() => expect(clock.pending).toBe(1));
  clock.advance(4_999);
  expect(found()).toEqual({ namespaces: 1, contents: 1 });
  clock.advance(1);
  await vi.waitFor(() => expect(found()).toEqual({ namespaces: 0, contents: 0 }));
});

test('a namespace that is emptied by its user goes at once', async () => {
  await addContent();
  await deleteNamespace();
  await vi.waitFor(() => expect(clock.pending).toBe(1));
  await registry.delete(CONFIG_MAPS, { namespace: 'doomed', name: 'a' });
  await vi.waitFor(() => expect(found()).toEqual({ namespaces: 0, contents: 0 }));
});

test('an empty namespace goes at once', async () => {
  await deleteNamespace();
  await vi.waitFor(() => expect(found().namespaces).toBe(0));
});
