import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EndpointSlice, Pod, Service } from '../../../shared/schema/kubernetes-types.ts';
import { planSlices, type SliceAction, sliceMetadata } from './plan.ts';

const named = (name: string) => ({
  name,
  namespace: 'default',
  uid: `uid-${name}`,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
});

const service = (spec: Partial<Service['spec']> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { ...named('web'), labels: { app: 'web' } },
  spec: {
    clusterIP: '10.43.0.9',
    selector: { app: 'web' },
    ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
    ...spec,
  },
  status: {},
});

interface PodState {
  ready?: boolean;
  terminating?: boolean;
  over?: boolean;
  ip?: boolean;
  port?: number;
}

const pod = (index: number, state: PodState = {}): Pod => {
  const { ready = true, terminating = false, over = false, ip = true, port = 8080 } = state;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...named(`p${index}`),
      ...(terminating && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    },
    spec: {
      nodeName: 'a',
      containers: [{ name: 'c', ports: [{ name: 'http', containerPort: port }] }],
    },
    status: {
      phase: over ? 'Succeeded' : 'Running',
      ...(ip && { podIP: `10.42.${index >> 8}.${index & 255}` }),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  };
};

let slicesMade = 0;

/** The slices after the plan was carried out. */
function applied(
  slices: readonly EndpointSlice[],
  actions: readonly SliceAction[],
  owner: Service,
): EndpointSlice[] {
  const result = new Map(slices.map((slice) => [slice.metadata.name, slice]));
  for (const action of actions) {
    if (action.kind === 'delete') result.delete(action.slice.metadata.name);
    else {
      const base = action.kind === 'update' ? action.slice.metadata : named(`web-${++slicesMade}`);
      result.set(base.name, {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { ...base, ...sliceMetadata(owner) },
        ...action.content,
      });
    }
  }
  return [...result.values()];
}

const slicesAfter = (
  pods: readonly Pod[],
  before: readonly EndpointSlice[] = [],
  owner = service(),
) => applied(before, planSlices(owner, pods, before), owner);

describe('the slices of a Service', () => {
  test('name the pod, its node and its conditions', () => {
    const [slice] = slicesAfter([pod(1), pod(2, { ready: false }), pod(3, { terminating: true })]);
    expect(slice?.metadata.labels).toEqual({
      app: 'web',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    });
    expect(slice?.ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }]);
    expect(slice?.endpoints[0]).toEqual({
      addresses: ['10.42.0.1'],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: 'a',
      targetRef: { kind: 'Pod', namespace: 'default', name: 'p1', uid: 'uid-p1' },
    });
    expect(slice?.endpoints.map(({ conditions }) => conditions)).toEqual([
      { ready: true, serving: true, terminating: false },
      { ready: false, serving: false, terminating: false },
      { ready: false, serving: true, terminating: true },
    ]);
  });

  test('say ready for every pod where that is asked for', () => {
    const owner = service({ publishNotReadyAddresses: true });
    const [slice] = slicesAfter([pod(1, { ready: false, terminating: true })], [], owner);
    expect(slice?.endpoints[0]?.conditions).toEqual({
      ready: true,
      serving: false,
      terminating: true,
    });
  });

  test('give a pod of its subdomain its hostname, and say that there is no address', () => {
    const one = pod(1);
    one.spec.hostname = 'first';
    one.spec.subdomain = 'web';
    const [slice] = slicesAfter([one], [], service({ clusterIP: 'None' }));
    expect(slice?.endpoints[0]?.hostname).toBe('first');
    expect(slice?.metadata.labels).toHaveProperty(['service.kubernetes.io/headless'], '');
  });

  test('leave out pods that are over or have no address, and stay one when none is left', () => {
    const empty = slicesAfter([pod(1, { over: true }), pod(2, { ip: false })]);
    expect(empty.map(({ endpoints, ports }) => [endpoints, ports])).toEqual([[[], []]]);
    expect(planSlices(service(), [], empty)).toEqual([]);
    const full = slicesAfter([pod(1)], empty);
    expect(full.map(({ metadata }) => metadata.name)).toEqual([empty[0]?.metadata.name]);
    expect(slicesAfter([], full)).toHaveLength(1);
  });

  test('differ where pods call another port by the name', () => {
    const slices = slicesAfter([pod(1), pod(2, { port: 9090 })]);
    expect(slices.map(({ ports }) => ports?.[0]?.port).sort()).toEqual([8080, 9090]);
  });

  test('of the other family go', () => {
    const [slice] = slicesAfter([pod(1)]);
    const other = { ...slice, addressType: 'IPv6' } as EndpointSlice;
    expect(planSlices(service(), [pod(1)], [other]).map(({ kind }) => kind)).toEqual([
      'delete',
      'create',
    ]);
  });
});

const state = fc.record({
  ready: fc.boolean(),
  terminating: fc.boolean(),
  over: fc.boolean(),
  ip: fc.boolean(),
  port: fc.constantFrom(8080, 9090),
});

function contents(slices: readonly EndpointSlice[]): string[] {
  return slices
    .flatMap(({ endpoints, ports }) =>
      endpoints.map(({ targetRef, conditions }) =>
        JSON.stringify([targetRef?.name, conditions, ports?.[0]?.port]),
      ),
    )
    .sort();
}

test('slices always hold exactly the pods, at most 100 each, and a second look changes nothing', () => {
  const rounds = fc.array(fc.array(state, { maxLength: 250 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(rounds, (states) => {
      let slices: EndpointSlice[] = [];
      for (const round of states) {
        const pods = round.map((one, index) => pod(index, one));
        slices = slicesAfter(pods, slices);
        const expected = round
          .map((one, index) => ({ ...one, index }))
          .filter(({ over, ip }) => !over && ip)
          .map(({ index, ready, terminating, port }) =>
            JSON.stringify([
              `p${index}`,
              { ready: ready && !terminating, serving: ready, terminating },
              port,
            ]),
          );
        expect(contents(slices)).toEqual(expected.sort());
        for (const { endpoints } of slices) expect(endpoints.length).toBeLessThanOrEqual(100);
        expect(slices.length).toBeGreaterThan(0);
        expect(planSlices(service(), pods, slices)).toEqual([]);
      }
    }),
    { numRuns: 40 },
  );
});

test('a change of one pod touches at most two slices', () => {
  const scene = fc.record({
    states: fc.array(state, { minLength: 1, maxLength: 250 }),
    which: fc.nat(),
    next: fc.option(state, { nil: undefined }),
  });
  fc.assert(
    fc.property(scene, ({ states, which, next }) => {
      const pods = states.map((one, index) => pod(index, one));
      const slices = slicesAfter(pods);
      const changed = which % pods.length;
      const later = pods.flatMap((one, index) =>
        index !== changed ? [one] : next ? [pod(index, next)] : [],
      );
      expect(planSlices(service(), later, slices).length).toBeLessThanOrEqual(2);
    }),
    { numRuns: 60 },
  );
});
