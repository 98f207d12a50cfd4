import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EndpointSlice, Endpoints } from '../../../shared/schema/kubernetes-types.ts';
import { isMirrored, mirrorMetadata, planMirror } from './plan.ts';

const metadata = {
  name: 'db',
  namespace: 'default',
  uid: 'u',
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
};

function endpointsOf(subsets: Endpoints['subsets'] = [], more: Partial<typeof metadata> = {}) {
  return { apiVersion: 'v1', kind: 'Endpoints', metadata: { ...metadata, ...more }, subsets };
}

/** The slices when all that was planned is done. */
function slicesAfter(
  endpoints: Endpoints,
  slices: readonly EndpointSlice[],
  round: number,
): EndpointSlice[] {
  const left = new Map(slices.map((slice) => [slice.metadata.name, slice]));
  for (const [index, action] of planMirror(endpoints, slices).entries()) {
    if (action.kind === 'delete') {
      left.delete(action.slice.metadata.name);
      continue;
    }
    const name = action.kind === 'create' ? `${round}-${index}` : action.slice.metadata.name;
    left.set(name, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, name, ...mirrorMetadata(endpoints) },
      ...action.content,
    });
  }
  return [...left.values()];
}

const subsets = fc.uniqueArray(
  fc.record({
    port: fc.integer({ min: 1, max: 4 }),
    ready: fc.uniqueArray(fc.constantFrom('192.0.2.1', '192.0.2.2', 'fd00::1'), { maxLength: 3 }),
    notReady: fc.uniqueArray(fc.constantFrom('192.0.2.3', 'fd00::3'), { maxLength: 2 }),
  }),
  { selector: ({ port }) => port, maxLength: 4 },
);

test('slices hold exactly the addresses of the Endpoints, and a second look changes nothing', () => {
  fc.assert(
    fc.property(fc.array(subsets, { minLength: 1, maxLength: 4 }), (rounds) => {
      let slices: EndpointSlice[] = [];
      for (const [index, round] of rounds.entries()) {
        const endpoints = endpointsOf(
          round.map(({ port, ready, notReady }) => ({
            ports: [{ port }],
            addresses: ready.map((ip) => ({ ip })),
            notReadyAddresses: notReady.map((ip) => ({ ip })),
          })),
        );
        slices = slicesAfter(endpoints, slices, index);
        const expected = round.flatMap(({ port, ready, notReady }) => [
          ...ready.map((ip) => `${ip} ${port} true`),
          ...notReady.map((ip) => `${ip} ${port} false`),
        ]);
        const found = slices.flatMap(({ addressType, endpoints: all, ports }) =>
          all.map(({ addresses: [ip = ''], conditions }) => {
            expect(ip.includes(':')).toBe(addressType === 'IPv6');
            return `${ip} ${ports?.[0]?.port} ${conditions?.ready}`;
          }),
        );
        expect(found.sort()).toEqual(expected.sort());
        expect(planMirror(endpoints, slices)).toEqual([]);
      }
    }),
  );
});

test('Endpoints that elect a leader, or say so, are not mirrored', () => {
  const service = { apiVersion: 'v1', kind: 'Service', metadata, spec: {}, status: {} };
  const marked = (more: object) => isMirrored(service, endpointsOf([], more));
  expect(marked({})).toBe(true);
  expect(marked({ labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } })).toBe(false);
  expect(marked({ annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } })).toBe(false);
  expect(isMirrored({ ...service, spec: { selector: { app: 'a' } } }, endpointsOf())).toBe(false);
});
