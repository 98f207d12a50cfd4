import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Logger } from '../../shared/logger.ts';
import { ManualClock } from '../../shared/reconcile/manual-clock.ts';
import { CATALOG } from '../../shared/resources/catalog.ts';
import { CONFIG_MAPS } from '../../shared/resources/config-map.ts';
import { NAMESPACES } from '../../shared/resources/namespace.ts';
import { SERVICE_ACCOUNTS } from '../../shared/resources/service-account.ts';
import { EventRecorder } from '../store/event-recorder.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { Registry } from '../store/registry.ts';
import { ControllerRunner } from './controller-runner.ts';
import { namespaceController } from './namespace/namespace-controller.ts';
import { rootCaPublisher } from './root-ca-publisher/root-ca-publisher.ts';
import { serviceAccountController } from './serviceaccount/serviceaccount-controller.ts';

const warnings: string[] = [];
const log: Logger = {
  debug: () => {},
  info: () => {},
  warn: (message) => warnings.push(message),
  error: (message) => warnings.push(message),
  child: () => log,
};

let clock: ManualClock;
let registry: Registry;
let runners: ControllerRunner[];

beforeEach(async () => {
  warnings.length = 0;
  clock = new ManualClock();
  const store = new MemoryStore();
  await store.open();
  let uid = 0;
  registry = new Registry({ store, clock, kinds: CATALOG, newUid: () => `u${++uid}` });
  await registry.open();
  await addNamespace('before');
  const parts = { registry, clock, log, events: new EventRecorder({ registry, clock, log }) };
  runners = [
    namespaceController(parts, CATALOG),
    serviceAccountController(parts),
    rootCaPublisher(parts, 'CA'),
  ].map((controller) => new ControllerRunner(controller, parts));
  for (const runner of runners) runner.start();
});

afterEach(async () => {
  for (const runner of runners) await runner.stop();
  expect(warnings).toEqual([]);
});

const addNamespace = (name: string) =>
  registry.create(NAMESPACES, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
    spec: { finalizers: ['kubernetes'] },
  } as never);
const account = (namespace: string) => ({ namespace, name: 'default' });
const map = (namespace: string) => ({ namespace, name: 'kube-root-ca.crt' });
const isComplete = (namespace: string) =>
  registry.find(SERVICE_ACCOUNTS, account(namespace)) !== undefined &&
  registry.find(CONFIG_MAPS, map(namespace))?.data?.['ca.crt'] === 'CA';
const complete = (namespace: string) =>
  vi.waitFor(() => expect(isComplete(namespace)).toBe(true), { interval: 1 });

test('every namespace has its account and the certificate authority, also one that was there before', async () => {
  await complete('before');
  await addNamespace('after');
  await complete('after');
  expect(clock.pending).toBe(0);
});

test('what is deleted is made again, what is changed is mended', async () => {
  await complete('before');
  const old = registry.get(SERVICE_ACCOUNTS, account('before')).metadata.uid;
  await registry.delete(SERVICE_ACCOUNTS, account('before'));
  await registry.update(CONFIG_MAPS, map('before'), (current) => ({ ...current, data: {} }));
  await complete('before');
  expect(registry.get(SERVICE_ACCOUNTS, account('before')).metadata.uid).not.toBe(old);
  await registry.delete(CONFIG_MAPS, map('before'));
  await complete('before');
});

test('a namespace with nothing else in it goes at once, and nothing is made in it again', async () => {
  await complete('before');
  await registry.delete(NAMESPACES, { namespace: '', name: 'before' });
  await vi.waitFor(() => expect(registry.list(NAMESPACES)).toEqual([]), { interval: 1 });
  expect(registry.list(CONFIG_MAPS)).toEqual([]);
  expect(registry.list(SERVICE_ACCOUNTS)).toEqual([]);
});
