import { beforeEach, expect, test, vi } from 'vitest';
import { ManualClock } from '../../shared/reconcile/manual-clock.ts';
import { CATALOG } from '../../shared/resources/catalog.ts';
import { EVENTS } from '../../shared/resources/event.ts';
import { NAMESPACES } from '../../shared/resources/namespace.ts';
import type { Namespace } from '../../shared/schema/kubernetes-types.ts';
import { silentLogger as log } from '../../shared/silent-logger.ts';
import { EventRecorder } from './event-recorder.ts';
import { MemoryStore } from './memory-store.ts';
import { Registry } from './registry.ts';

let clock: ManualClock;
let registry: Registry;
let recorder: EventRecorder;
let about: Namespace;

beforeEach(async () => {
  clock = new ManualClock();
  const store = new MemoryStore();
  await store.open();
  let uid = 0;
  registry = new Registry({ store, clock, kinds: CATALOG, newUid: () => `u${++uid}` });
  await registry.open();
  about = await registry.create(NAMESPACES, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'default', uid: '', resourceVersion: '', creationTimestamp: '' },
    spec: {},
    status: {},
  });
  recorder = new EventRecorder({ registry, clock, log });
});

const record = (reason: string) =>
  recorder.record('test', about, { type: 'Normal', reason, message: 'it happened' });
const events = () => registry.list(EVENTS);

test('a list has events in the order in which they happened, also within a millisecond', async () => {
  const reasons = ['Pulled', 'Created', 'Started', 'Killing', 'BackOff'];
  for (const reason of reasons) record(reason);
  await vi.waitFor(() => expect(events()).toHaveLength(5));
  clock.advance(1);
  record('Deleted');
  await vi.waitFor(() => expect(events()).toHaveLength(6));
  expect(events().map(({ reason }) => reason)).toEqual([...reasons, 'Deleted']);
});

test('one that is said twice at once is counted', async () => {
  record('BackOff');
  record('BackOff');
  await vi.waitFor(() => expect(events()[0]?.count).toBe(2));
  expect(events()).toHaveLength(1);
});

test('one that says the same again is counted', async () => {
  record('BackOff');
  clock.advance(5000);
  await vi.waitFor(() => expect(events()).toHaveLength(1));
  record('BackOff');
  await vi.waitFor(() => expect(events()[0]?.count).toBe(2));
  expect(events()[0]?.firstTimestamp).not.toBe(events()[0]?.lastTimestamp);
});
