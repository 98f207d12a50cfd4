import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Logger } from '../../shared/logger.ts';
import { parseCidr } from '../../shared/meta/cidr.ts';
import type { KubeObject } from '../../shared/meta/kube-object.ts';
import { ManualClock } from '../../shared/reconcile/manual-clock.ts';
import { CATALOG } from '../../shared/resources/catalog.ts';
import { ENDPOINT_SLICES } from '../../shared/resources/endpoint-slice.ts';
import { ENDPOINTS } from '../../shared/resources/endpoints.ts';
import { PODS } from '../../shared/resources/pod.ts';
import { SERVICES } from '../../shared/resources/service.ts';
import type { Endpoints, Pod, Service } from '../../shared/schema/kubernetes-types.ts';
import { silentLogger as log } from '../../shared/silent-logger.ts';
import { createSystemObjects } from '../bootstrap.ts';
import { ClusterAddresses } from '../store/cluster-addresses.ts';
import { EventRecorder } from '../store/event-recorder.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { Registry } from '../store/registry.ts';
import { Controllers } from './all-controllers.ts';

const SYSTEM = {
  api: { address: '192.0.2.10', port: 6443 },
  kubernetes: '10.43.0.1',
  dns: '10.43.0.10',
};

let registry: Registry;
let controllers: Controllers;
let startControllers: (addresses: typeof SYSTEM, logger?: Logger) => void;

const named = (name: string, labels?: Record<string, string>) => ({
  name,
  namespace: 'default',
  uid: '',
  resourceVersion: '',
  creationTimestamp: '',
  ...(labels && { labels }),
});

beforeEach(async () => {
  const clock = new ManualClock();
  const store = new MemoryStore();
  await store.open();
  let uid = 0;
  const addresses: ClusterAddresses = new ClusterAddresses({
    serviceCidr: '10.43.0.0/16',
    kind: SERVICES,
    services: () => registry.list(SERVICES),
  });
  registry = new Registry({
    store,
    clock,
    kinds: CATALOG,
    newUid: () => `u${++uid}`,
    preparations: [addresses.preparation],
  });
  await registry.open();
  await createSystemObjects(registry, SYSTEM);
  const events = new EventRecorder({ registry, clock, log });
  startControllers = (systemAddresses, logger = log) => {
    controllers = new Controllers(
      { registry, clock, log: logger, events },
      {
        kinds: CATALOG,
        clusterCidr: parseCidr('10.42.0.0/16'),
        nodeCidrMaskSize: 24,
        ca: 'CA',
        systemAddresses,
      },
    );
    controllers.start();
  };
  startControllers(SYSTEM);
});

afterEach(() => controllers.stop());

const addService = (name: string, spec: Partial<Service['spec']>) =>
  registry.create(SERVICES, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: named(name),
    spec: { ports: [{ port: 80 }], ...spec },
    status: {},
  });

async function addPod(name: string, ip: string): Promise<void> {
  await registry.create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: named(name, { app: 'web' }),
    spec: { containers: [{ name: 'c', image: 'i' }] },
    status: {},
  } as Pod);
  await setReady(name, 'True', ip);
}

const setReady = (name: string, status: 'True' | 'False', podIP: string) =>
  registry.update(
    PODS,
    { namespace: 'default', name },
    (current) => ({
      ...current,
      status: {
        ...current.status,
        phase: 'Running',
        podIP,
        podIPs: [{ ip: podIP }],
        conditions: [{ type: 'Ready', status }],
      },
    }),
    { subresource: 'status' },
  );

const slicesOf = (service: string) =>
  registry
    .list(ENDPOINT_SLICES, 'default')
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === service);
const readyIn = (service: string) =>
  slicesOf(service)
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ conditions }) => conditions?.ready)
    .map(({ addresses }) => addresses[0]);
const endpointsOf = (name: string) => registry.find(ENDPOINTS, { namespace: 'default', name });
const uidOf = (object: KubeObject | undefined) => object?.metadata.uid;

test('what is ready behind a Service is in its slice and its Endpoints, as long as it is', async () => {
  const service = await addService('web', { selector: { app: 'web' } });
  await addPod('one', '10.42.0.2');
  await addPod('two', '10.42.0.3');
  await vi.waitFor(() => expect(readyIn('web')).toEqual(['10.42.0.2', '10.42.0.3']));
  expect(slicesOf('web')[0]?.metadata.ownerReferences?.[0]).toMatchObject({
    kind: 'Service',
    uid: uidOf(service),
    controller: true,
  });
  await setReady('one', 'False', '10.42.0.2');
  await vi.waitFor(() => expect(readyIn('web')).toEqual(['10.42.0.3']));
  await vi.waitFor(() =>
    expect(endpointsOf('web')?.subsets).toMatchObject([
      { addresses: [{ ip: '10.42.0.3' }], notReadyAddresses: [{ ip: '10.42.0.2' }] },
    ]),
  );
  await registry.delete(SERVICES, { namespace: 'default', name: 'web' });
  await vi.waitFor(() => {
    expect(endpointsOf('web')).toBeUndefined();
    expect(slicesOf('web')).toEqual([]);
  });
});

test('Endpoints written by hand are mirrored, and no longer when the Service gets a selector', async () => {
  await addService('db', {});
  await registry.create(ENDPOINTS, {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: named('db'),
    subsets: [{ addresses: [{ ip: '192.0.2.7' }], ports: [{ port: 5432 }] }],
  } as Endpoints);
  await vi.waitFor(() => expect(readyIn('db')).toEqual(['192.0.2.7']));
  expect(slicesOf('db')[0]).toMatchObject({
    ports: [{ name: '', port: 5432, protocol: 'TCP' }],
    metadata: {
      labels: {
        'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
      },
    },
  });
  const revision = registry.cache.revision();
  await new Promise((resolve) => setImmediate(resolve));
  expect(registry.cache.revision()).toBe(revision);
  await registry.update(SERVICES, { namespace: 'default', name: 'db' }, (current) => ({
    ...current,
    spec: { ...current.spec, selector: { app: 'none' } },
  }));
  await vi.waitFor(() => expect(readyIn('db')).toEqual([]));
});

test('a Service that is another name has no Endpoints, whatever it selects', async () => {
  await addService('other', {
    type: 'ExternalName',
    externalName: 'example.org',
    selector: { app: 'web' },
  });
  await addService('web', { selector: { app: 'web' } });
  await addPod('one', '10.42.0.2');
  await vi.waitFor(() => expect(readyIn('web')).toEqual(['10.42.0.2']));
  await vi.waitFor(() => expect(endpointsOf('web')?.subsets).toHaveLength(1));
  expect(endpointsOf('other')).toBeUndefined();
  expect(slicesOf('other')).toEqual([]);
});

test('mirrored slices have the labels and annotations of the Endpoints, and lose what those lose', async () => {
  await addService('db', {});
  await registry.create(ENDPOINTS, {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      ...named('db', { tier: 'data', 'service.kubernetes.io/headless': '' }),
      annotations: {
        note: 'by hand',
        'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z',
        'kubectl.kubernetes.io/last-applied-configuration': '{}',
      },
    },
    subsets: [{ addresses: [{ ip: '192.0.2.7' }], ports: [{ port: 5432 }] }],
  } as Endpoints);
  await vi.waitFor(() => expect(readyIn('db')).toEqual(['192.0.2.7']));
  expect(slicesOf('db')[0]?.metadata.annotations).toEqual({ note: 'by hand' });
  expect(slicesOf('db')[0]?.metadata.labels).toMatchObject({
    tier: 'data',
    'service.kubernetes.io/headless': '',
  });
  await registry.update(ENDPOINTS, { namespace: 'default', name: 'db' }, (current) => ({
    ...current,
    metadata: { ...current.metadata, annotations: {} },
  }));
  await vi.waitFor(() => expect(slicesOf('db')[0]?.metadata.annotations ?? {}).toEqual({}));
  const revision = registry.cache.revision();
  await new Promise((resolve) => setImmediate(resolve));
  expect(registry.cache.revision()).toBe(revision);
});

test('an API that only its own machine reaches is no endpoint, and the master says so', async () => {
  await controllers.stop();
  const kubernetes = { namespace: 'default', name: 'kubernetes' };
  await registry.delete(ENDPOINTS, kubernetes).catch(() => {});
  await registry.delete(ENDPOINT_SLICES, kubernetes).catch(() => {});
  const warnings: string[] = [];
  const logger: Logger = { ...log, warn: (text) => warnings.push(text), child: () => logger };
  startControllers({ ...SYSTEM, api: { address: '127.0.0.1', port: 6443 } }, logger);
  const dns = { namespace: 'kube-system', name: 'kube-dns' };
  await registry.delete(SERVICES, dns);
  await vi.waitFor(() => expect(registry.find(SERVICES, dns)).toBeDefined());
  expect(endpointsOf('kubernetes')).toBeUndefined();
  expect(slicesOf('kubernetes')).toEqual([]);
  expect(warnings).toEqual([
    'the service default/kubernetes has no endpoint: no pod reaches 127.0.0.1; start the master with an --advertise-address that pods reach',
  ]);
});

test('every cluster has its API and its DNS, whoever removes them', async () => {
  const api = () => registry.find(SERVICES, { namespace: 'default', name: 'kubernetes' });
  const dns = () => registry.find(SERVICES, { namespace: 'kube-system', name: 'kube-dns' });
  await vi.waitFor(() => {
    expect(dns()?.spec).toMatchObject({ clusterIP: '10.43.0.10' });
    expect(dns()?.spec).not.toHaveProperty('selector');
    expect(readyIn('kubernetes')).toEqual(['192.0.2.10']);
    expect(endpointsOf('kubernetes')?.subsets?.[0]?.ports?.[0]?.port).toBe(6443);
  });
  expect(slicesOf('kubernetes')).toHaveLength(1);
  expect(api()?.spec.clusterIP).toBe('10.43.0.1');
  await registry.delete(SERVICES, { namespace: 'default', name: 'kubernetes' });
  await registry.delete(SERVICES, { namespace: 'kube-system', name: 'kube-dns' });
  await registry.delete(ENDPOINT_SLICES, { namespace: 'default', name: 'kubernetes' });
  await vi.waitFor(() => {
    expect(api()?.spec.clusterIP).toBe('10.43.0.1');
    expect(dns()?.spec.clusterIP).toBe('10.43.0.10');
    expect(readyIn('kubernetes')).toEqual(['192.0.2.10']);
    expect(endpointsOf('kubernetes')?.subsets).toHaveLength(1);
  });
});
