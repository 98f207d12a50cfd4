import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LocalPod } from '../../pods/collaborators.ts';
import { assemblePlan, planService, type ServiceFacts } from './plan.ts';
import type { ServicePlan } from './proxy-plan.ts';
import { type ProxiedSlice, readService, readSlice } from './saved-services.ts';

const service = (spec: object = {}, name = 'web') =>
  readService({
    metadata: { namespace: 'default', name },
    spec: { type: 'ClusterIP', clusterIP: '10.43.0.7', ports: [{ port: 80 }], ...spec },
  });

interface Pod {
  last: number;
  ready?: boolean | undefined;
  serving?: boolean | undefined;
  terminating?: boolean | undefined;
  node?: string;
}

const slice = (pods: readonly Pod[]): ProxiedSlice =>
  readSlice({
    metadata: { namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: pods.map(({ last, ready, serving, terminating, node = 'here' }) => ({
      addresses: [`10.42.0.${last}`],
      conditions: { ready, serving, terminating },
      nodeName: node,
      targetRef: { kind: 'Pod', uid: `uid-${last}` },
    })),
  });

const plan = (pods: readonly Pod[], facts: Partial<ServiceFacts> = {}) =>
  planService({
    service: service(),
    slices: [slice(pods)],
    nodeName: 'here',
    dnsAddress: '10.43.0.10',
    localPod: () => undefined,
    isSilent: () => false,
    ...facts,
  });

const lastsOf = (made: ServicePlan | undefined, which: 'cluster' | 'local' = 'cluster') =>
  made?.ports[0]?.[which].map(({ address }) => Number(address.split('.')[3]));

describe('which endpoints serve', () => {
  it('is the ready ones, and unknown is ready', () => {
    expect(
      lastsOf(plan([{ last: 2 }, { last: 3, ready: false }, { last: 4, ready: true }])),
    ).toEqual([2, 4]);
  });

  it('is those that end and still serve when none is ready', () => {
    const ending = { ready: false, serving: true, terminating: true };
    const pods = [
      { last: 2, ...ending },
      { last: 3, ready: false, serving: false },
    ];
    expect(lastsOf(plan(pods))).toEqual([2]);
    expect(lastsOf(plan([...pods, { last: 4 }]))).toEqual([4]);
  });

  it('falls back for this node alone while others are ready', () => {
    const ending = { ready: false, serving: true, terminating: true };
    const made = plan([
      { last: 2, ...ending },
      { last: 3, node: 'there' },
    ]);
    expect([lastsOf(made), lastsOf(made, 'local')]).toEqual([[3], [2]]);
  });

  it('follows this node’s own pods rather than the slice', () => {
    const localPod = (uid: string): LocalPod | undefined =>
      ({
        'uid-2': { ready: true, terminating: false, address: undefined },
        'uid-3': { ready: true, terminating: false, address: '10.42.0.33' },
        'uid-4': { ready: false, terminating: false, address: '10.42.0.4' },
      })[uid];
    const pods = [{ last: 2 }, { last: 3, ready: false }, { last: 4 }, { last: 5 }];
    expect(lastsOf(plan(pods, { localPod }))).toEqual([5, 33]);
    const publishing = service({ publishNotReadyAddresses: true });
    expect(lastsOf(plan(pods, { localPod, service: publishing }))).toEqual([4, 5, 33]);
  });

  it('passes over remote ones that are silent, unless nobody would be left', () => {
    const pods = [{ last: 2, node: 'there' }, { last: 3, node: 'there' }, { last: 4 }];
    const silent = (...lasts: number[]) => ({
      isSilent: ({ address }: { address: string }) => lasts.includes(Number(address.split('.')[3])),
    });
    expect(lastsOf(plan(pods, silent(2, 4)))).toEqual([3, 4]);
    expect(lastsOf(plan(pods.slice(0, 2), silent(2, 3)))).toEqual([2, 3]);
  });

  it('depends on no order, has no doubles, and is never somebody who is not in a slice', () => {
    const pod = fc.record({
      last: fc.integer({ min: 2, max: 9 }),
      ready: fc.option(fc.boolean(), { nil: undefined }),
      serving: fc.option(fc.boolean(), { nil: undefined }),
      terminating: fc.option(fc.boolean(), { nil: undefined }),
      node: fc.constantFrom('here', 'there'),
    });
    fc.assert(
      fc.property(fc.uniqueArray(pod, { selector: ({ last }) => last }), (pods) => {
        const made = plan(pods);
        const halves = [slice(pods.slice(2)), slice(pods.slice(0, 4))];
        expect(plan(pods, { slices: halves.reverse() })).toEqual(made);
        const chosen = lastsOf(made) ?? [];
        expect(chosen).toEqual([...new Set(chosen)].sort((a, b) => a - b));
        const ready = pods.filter((each) => each.ready !== false);
        const served =
          ready.length > 0 ? ready : pods.filter((each) => each.serving && each.terminating);
        expect(new Set(chosen)).toEqual(new Set(served.map(({ last }) => last)));
        const here = new Set(pods.filter(({ node }) => node === 'here').map(({ last }) => last));
        expect(lastsOf(made, 'local')?.every((last) => here.has(last))).toBe(true);
      }),
    );
  });
});

describe('what is proxied', () => {
  it('is nothing for headless services, ExternalName and the address that the node answers itself', () => {
    expect(plan([], { service: service({ clusterIP: 'None' }) })).toBeUndefined();
    expect(plan([], { service: service({ type: 'ExternalName' }) })).toBeUndefined();
    expect(plan([], { service: service({ clusterIP: '10.43.0.10' }) })).toBeUndefined();
  });

  it('leaves out what is malformed', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (spec, document) => {
        planService({
          service: readService({ metadata: { namespace: 'a', name: 'b' }, spec }),
          slices: [readSlice(document)],
          nodeName: 'here',
          dnsAddress: undefined,
          localPod: () => undefined,
          isSilent: () => false,
        });
      }),
    );
  });

  it('counts ready endpoints of this node for the health-check node port', () => {
    const balanced = service({
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 32_000,
    });
    const pods = [{ last: 2 }, { last: 3, ready: false }, { last: 4, node: 'there' }];
    expect(plan(pods, { service: balanced })?.healthCheck).toEqual({
      port: 32_000,
      namespace: 'default',
      name: 'web',
      localEndpoints: 1,
    });
  });

  it('gives what two services claim to the first by name', () => {
    const node = { nodeIp: undefined, podCidr: undefined, clusterCidr: undefined, hostPorts: [] };
    const of = (name: string, clusterIP: string) => {
      const ports = [{ port: 80, nodePort: 30_080 }];
      const made = plan([{ last: 2 }], { service: service({ clusterIP, ports }, name) });
      return [`default/${name}`, made as ServicePlan] as const;
    };
    const both = new Map([of('b', '10.43.0.2'), of('a', '10.43.0.1')]);
    const { plan: made, conflicts } = assemblePlan(both, node);
    expect(conflicts).toEqual([{ what: '*:30080/TCP', keptBy: 'default/a', lostBy: 'default/b' }]);
    expect(made.services.get('default/a')?.ports[0]?.nodePort).toBe(30_080);
    expect(made.services.get('default/b')?.ports[0]).toMatchObject({
      nodePort: undefined,
      clusterIps: ['10.43.0.2'],
    });
  });
});
