import { describe, expect, it } from 'vitest';
import type { Service, ServiceSpec } from '../schema/kubernetes-types.ts';
import { SERVICES } from './service.ts';
import { cells, created, createErrors, sent, updated, updateErrors } from './writes-for-tests.ts';

const service = (spec: object = {}): Service =>
  sent<Service>({ spec: { ports: [{ port: 80 }], selector: { app: 'web' }, ...spec } });
const stored = (spec: object = {}): Service =>
  created(SERVICES, service({ clusterIP: '10.43.0.10', ...spec }));
const errors = (spec: object): string[] => createErrors(SERVICES, service(spec));

describe('a service', () => {
  it('is filled in as on Kubernetes', () => {
    expect(created(SERVICES, service({ clusterIP: '10.43.0.10' }))).toMatchObject({
      spec: {
        type: 'ClusterIP',
        sessionAffinity: 'None',
        internalTrafficPolicy: 'Cluster',
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        clusterIP: '10.43.0.10',
        clusterIPs: ['10.43.0.10'],
        ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      },
      status: { loadBalancer: {} },
    });
    expect(created(SERVICES, service()).metadata).not.toHaveProperty('generation');
  });

  it.each<[object, Partial<ServiceSpec>]>([
    [
      { sessionAffinity: 'ClientIP' },
      { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } } },
    ],
    [{ type: 'NodePort' }, { externalTrafficPolicy: 'Cluster' }],
    [
      { type: 'LoadBalancer' },
      { externalTrafficPolicy: 'Cluster', allocateLoadBalancerNodePorts: true },
    ],
    [{ externalIPs: ['1.2.3.4'] }, { externalTrafficPolicy: 'Cluster' }],
    [
      { clusterIP: 'None', selector: undefined },
      { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] },
    ],
    [{ clusterIP: 'None' }, { ipFamilyPolicy: 'SingleStack', clusterIPs: ['None'] }],
  ])('%j gets %j', (given, expected) => {
    const once = created(SERVICES, service(given));
    expect(once.spec).toMatchObject(expected);
    expect(SERVICES.strategy.default(once)).toEqual(once);
    expect(errors(given)).toEqual([]);
  });

  it('that is only a name has no addresses', () => {
    const object = service({ type: 'ExternalName', externalName: 'example.com', ports: undefined });
    expect(createErrors(SERVICES, object)).toEqual([]);
    expect(created(SERVICES, object).spec).not.toHaveProperty('ipFamilies');
  });

  it.each<[string, object, string]>([
    ['no ports', { ports: [] }, 'spec.ports: Required value'],
    [
      'a nameless port among several',
      { ports: [{ name: 'a', port: 1 }, { port: 2 }] },
      'spec.ports[1].name: Required value',
    ],
    [
      'a port name twice',
      {
        ports: [
          { name: 'a', port: 1 },
          { name: 'a', port: 2 },
        ],
      },
      'spec.ports[1].name: Duplicate value: "a"',
    ],
    [
      'a port twice',
      {
        ports: [
          { name: 'a', port: 1 },
          { name: 'b', port: 1 },
        ],
      },
      'spec.ports[1]: Duplicate value: core.ServicePort{Name:"", Protocol:"TCP", AppProtocol:(*string)(nil), Port:1, TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}',
    ],
    [
      'port 0',
      { ports: [{ port: 0, targetPort: 1 }] },
      'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
    ],
    [
      'a target name',
      { ports: [{ port: 1, targetPort: 'a--b' }] },
      'spec.ports[0].targetPort: Invalid value: "a--b": must not contain consecutive hyphens',
    ],
    [
      'a type',
      { type: 'X', internalTrafficPolicy: 'Local' },
      'spec.type: Unsupported value: "X": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
    [
      'an affinity',
      { sessionAffinity: 'X' },
      'spec.sessionAffinity: Unsupported value: "X": supported values: "ClientIP", "None"',
    ],
    [
      'an affinity time',
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } } },
      'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400',
    ],
    [
      'an address',
      { clusterIP: 'x' },
      'spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
    [
      'an address of another family',
      { clusterIP: '::1', ipFamilies: ['IPv4'] },
      'spec.clusterIPs[0]: Invalid value: "::1": expected an IPv4 value as indicated by `ipFamilies[0]`',
    ],
    [
      'an IPv6 address',
      { clusterIP: '::1' },
      'spec.clusterIPs[0]: Invalid value: []string{"::1"}: IPv6 is not configured on this cluster',
    ],
    [
      'two families',
      { ipFamilyPolicy: 'RequireDualStack' },
      'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    ],
    [
      'families that its policy excludes',
      { ipFamilies: ['IPv4', 'IPv6'] },
      "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
    ],
    [
      'an address beside an external name',
      { type: 'ExternalName', externalName: 'a', clusterIP: '10.43.1.1' },
      'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
    ],
    [
      'a node port',
      { ports: [{ port: 1, nodePort: 30_000 }] },
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ],
    [
      'a headless node port',
      { type: 'NodePort', clusterIP: 'None' },
      'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services',
    ],
    ['no external name', { type: 'ExternalName' }, 'spec.externalName: Required value'],
    [
      'an external policy',
      { externalTrafficPolicy: 'Local' },
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    ],
    [
      'an external loopback',
      { externalIPs: ['127.0.0.1'] },
      'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
  ])('with %s is refused', (_what, spec, message) => {
    expect(errors(spec)).toEqual([message]);
  });

  it('that was a load balancer loses what only those have', () => {
    const balanced = stored({
      type: 'LoadBalancer',
      loadBalancerClass: 'a/b',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 30_001,
    });
    const next = { ...balanced, spec: { ...balanced.spec, type: 'ClusterIP' } };
    expect(updateErrors(SERVICES, next, balanced)).toEqual([]);
    const { spec } = updated(SERVICES, next, balanced);
    expect(spec).not.toHaveProperty('allocateLoadBalancerNodePorts');
    expect(spec).not.toHaveProperty('loadBalancerClass');
    expect(spec).not.toHaveProperty('healthCheckNodePort');
    expect(spec).not.toHaveProperty('externalTrafficPolicy');
  });

  it('has a name that begins with a letter', () => {
    const named = sent<Service>({ metadata: { name: '1web' }, spec: { ports: [{ port: 1 }] } });
    expect(createErrors(SERVICES, named)[0]).toMatch(
      /^metadata.name: Invalid value: "1web": a DNS-1035 label must/,
    );
  });
});

describe('an update of a service', () => {
  it('may leave out what was allocated', () => {
    const before = stored({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] });
    const next = service({ type: 'NodePort' });
    expect(updated(SERVICES, next, before)).toEqual(before);
    expect(updateErrors(SERVICES, next, before)).toEqual([]);
  });

  it('keeps the cluster IP', () => {
    expect(updateErrors(SERVICES, service({ clusterIP: '10.43.0.11' }), stored())).toEqual([
      'spec.clusterIPs[0]: Invalid value: []string{"10.43.0.11"}: may not change once set',
    ]);
    expect(updateErrors(SERVICES, service({ clusterIP: 'None' }), stored())).toEqual([
      'spec.clusterIPs[0]: Invalid value: []string{"None"}: may not change once set',
    ]);
  });

  it('drops what its new type does not need', () => {
    const before = stored({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] });
    const plain = { ...before, spec: { ...before.spec, type: 'ClusterIP' } };
    const after = updated(SERVICES, plain, before);
    expect(after.spec.ports?.[0]).not.toHaveProperty('nodePort');
    expect(after.spec).not.toHaveProperty('externalTrafficPolicy');
    expect(updateErrors(SERVICES, plain, before)).toEqual([]);

    const named = { ...plain, spec: { ...plain.spec, type: 'ExternalName', externalName: 'a.b' } };
    expect(updateErrors(SERVICES, named, updated(SERVICES, plain, before))[0] ?? '').not.toContain(
      'clusterIPs',
    );
  });
});

describe('a service that is no load balancer any more', () => {
  const before = {
    ...stored({
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 30_001,
      loadBalancerClass: 'example.com/balancer',
      ports: [{ port: 80, nodePort: 30_080 }],
    }),
    status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
  };

  it('drops what only load balancers have', () => {
    const next = { ...before, spec: { ...before.spec, type: 'ClusterIP' } };
    const after = updated(SERVICES, next, before);
    for (const field of [
      'allocateLoadBalancerNodePorts',
      'loadBalancerClass',
      'healthCheckNodePort',
      'externalTrafficPolicy',
    ]) {
      expect(after.spec).not.toHaveProperty(field);
    }
    expect(after.status).toEqual({ loadBalancer: {} });
    expect(updateErrors(SERVICES, next, before)).toEqual([]);
  });

  it('keeps its node ports as a node port service, without the health check', () => {
    const next = { ...before, spec: { ...before.spec, type: 'NodePort' } };
    const after = updated(SERVICES, next, before);
    expect(after.spec.ports?.[0]?.nodePort).toBe(30_080);
    expect(after.spec.externalTrafficPolicy).toBe('Local');
    expect(after.spec).not.toHaveProperty('healthCheckNodePort');
    expect(updateErrors(SERVICES, next, before)).toEqual([]);
  });
});

describe('kubectl get services', () => {
  it.each<[object, string]>([
    [{}, 'ClusterIP 10.43.0.10 <none> 80/TCP'],
    [
      { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] },
      'NodePort 10.43.0.10 <none> 80:30080/TCP',
    ],
    [{ type: 'LoadBalancer' }, 'LoadBalancer 10.43.0.10 <pending> 80/TCP'],
    [{ externalIPs: ['1.2.3.4', '1.2.3.5'] }, 'ClusterIP 10.43.0.10 1.2.3.4,1.2.3.5 80/TCP'],
    [
      { type: 'ExternalName', clusterIP: undefined, externalName: 'a.b', ports: undefined },
      'ExternalName <none> a.b <none>',
    ],
  ])('%j', (spec, expected) => {
    const row = cells(SERVICES, stored(spec));
    expect([row['Type'], row['Cluster-IP'], row['External-IP'], row['Port(s)']].join(' ')).toBe(
      expected,
    );
    expect(row['Selector']).toBe('app=web');
  });
});

it('the address of a load balancer is the node’s own unless it says otherwise', () => {
  const balancer = stored({ type: 'LoadBalancer' });
  const ingress = [{ ip: '192.0.2.1' }, { ip: '192.0.2.2', ipMode: 'Proxy' }, { hostname: 'a.b' }];
  const next = { ...balancer, status: { loadBalancer: { ingress } } };
  const { status } = SERVICES.strategy.prepareForStatusUpdate?.(next, balancer) ?? next;
  expect(status?.loadBalancer?.ingress).toEqual([
    { ip: '192.0.2.1', ipMode: 'VIP' },
    { ip: '192.0.2.2', ipMode: 'Proxy' },
    { hostname: 'a.b' },
  ]);
});
