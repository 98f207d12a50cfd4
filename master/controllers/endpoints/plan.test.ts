import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EndpointSubset, Pod, Service } from '../../../shared/schema/kubernetes-types.ts';
import { planEndpoints } from './plan.ts';
import { repackSubsets } from './repack-subsets.ts';

const named = (name: string) => ({
  name,
  namespace: 'default',
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
});

const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { ...named('web'), labels: { app: 'web' } },
  spec: { clusterIP: '10.43.0.9', selector: { app: 'web' }, ports: [{ port: 80 }] },
  status: {},
};

const pod = (index: number, ready = true): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: named(`p${index}`),
  spec: { nodeName: 'a', containers: [{ name: 'c' }] },
  status: {
    podIP: `10.42.${index >> 8}.${index & 255}`,
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
  },
});

test('pods with the same ports are one subset, apart by their readiness', () => {
  const endpoints = planEndpoints(service, [pod(2), pod(1), pod(3, false)], undefined);
  expect(endpoints.metadata.labels).toEqual({
    app: 'web',
    'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
  });
  expect(endpoints.subsets).toMatchObject([
    {
      addresses: [
        { ip: '10.42.0.1', nodeName: 'a', targetRef: { name: 'p1' } },
        { ip: '10.42.0.2' },
      ],
      notReadyAddresses: [{ ip: '10.42.0.3' }],
      ports: [{ port: 80, protocol: 'TCP' }],
    },
  ]);
});

test('a headless Service needs no ports', () => {
  const headless = { ...service, spec: { clusterIP: 'None', selector: { app: 'web' } } };
  const { subsets } = planEndpoints(headless, [pod(1)], undefined);
  expect(subsets).toHaveLength(1);
  expect(subsets?.[0]).not.toHaveProperty('ports');
});

test('no more than 1,000 addresses are kept, and the object says so until they fit again', () => {
  const pods = Array.from({ length: 1200 }, (_, index) => pod(index, index % 3 !== 0));
  const large = planEndpoints(service, pods, undefined);
  const { addresses = [], notReadyAddresses = [] } = large.subsets?.[0] ?? {};
  expect([addresses.length, notReadyAddresses.length]).toEqual([800, 200]);
  const annotation = 'endpoints.kubernetes.io/over-capacity';
  expect(large.metadata.annotations).toEqual({ [annotation]: 'truncated' });
  expect(planEndpoints(service, pods.slice(0, 9), large).metadata.annotations).toBeUndefined();
});

test('repacked subsets say the same as before, and packing again changes nothing', () => {
  const address = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3').map((ip) => ({ ip }));
  const list = fc.uniqueArray(address, { minLength: 1, selector: ({ ip }) => ip });
  const ports = fc.uniqueArray(
    fc.constantFrom(80, 81, 82).map((port) => ({ name: `p${port}`, port, protocol: 'TCP' })),
    { minLength: 1, selector: ({ port }) => port },
  );
  const subset: fc.Arbitrary<EndpointSubset> = fc.record({ addresses: list, ports });
  const told = (subsets: readonly EndpointSubset[]) =>
    [
      ...new Set(
        subsets.flatMap(({ addresses = [], ports = [] }) =>
          addresses.flatMap(({ ip }) =>
            ports.length > 0 ? ports.map(({ port }) => `${ip}:${port}`) : [ip],
          ),
        ),
      ),
    ].sort();
  fc.assert(
    fc.property(fc.array(subset, { maxLength: 6 }), (subsets) => {
      const packed = repackSubsets(subsets);
      expect(told(packed)).toEqual(told(subsets));
      expect(repackSubsets(packed)).toEqual(packed);
    }),
  );
});
