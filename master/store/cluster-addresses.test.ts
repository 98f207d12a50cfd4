import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Service, ServiceSpec } from '../../shared/schema/kubernetes-types.ts';
import { ClusterAddresses } from './cluster-addresses.ts';
import { MemoryStore } from './memory-store.ts';
import { Registry } from './registry.ts';

/** The row of services with no rules of its own, so that these tests see the addresses only. */
const SERVICES: ResourceKind<Service> = {
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: [],
  subresources: [],
  isVolatile: () => false,
  strategy: {
    prepareForCreate: (object) => object,
    default: (object) => object,
    validate: (object) =>
      object.spec.sessionAffinity === 'wrong'
        ? [{ type: 'FieldValueInvalid', field: 'spec', message: 'Invalid value: wrong' }]
        : [],
    prepareForUpdate: (next) => next,
    validateUpdate: () => [],
  },
  columns: [],
  selectableFields: {},
};

let registry: Registry;
let open: (serviceCidr: string) => Promise<Registry>;

beforeEach(async () => {
  open = async (serviceCidr) => {
    const addresses = new ClusterAddresses({
      serviceCidr,
      kind: SERVICES,
      services: () => made.list(SERVICES),
    });
    let uid = 0;
    const made: Registry = new Registry({
      store: new MemoryStore(),
      clock: { nowMs: () => 0, monotonicMs: () => 0, after: () => () => {} },
      kinds: [SERVICES],
      newUid: () => `u${++uid}`,
      preparations: [addresses.preparation],
    });
    await made.open();
    return made;
  };
  registry = await open('10.43.0.0/16');
});

const create = (name: string, spec: ServiceSpec = {}) =>
  registry.create(SERVICES, service(name, spec));
const update = (name: string, spec: ServiceSpec) =>
  registry.update(SERVICES, { namespace: 'default', name }, (current) => ({ ...current, spec }));

describe('a cluster IP', () => {
  it('is given to every service but headless ones and ExternalName', async () => {
    const { spec } = await create('a');
    expect(spec.clusterIP).toMatch(/^10\.43\.\d+\.\d+$/);
    expect(spec.clusterIPs).toEqual([spec.clusterIP]);
    expect((await create('b', { clusterIP: 'None' })).spec).toEqual({
      clusterIP: 'None',
      clusterIPs: ['None'],
    });
    const external = { type: 'ExternalName', externalName: 'example.com' };
    expect((await create('c', external)).spec).toEqual(external);
  });

  it('is one of the range, each once, even for writes at the same time', async () => {
    registry = await open('10.43.0.0/28');
    const made = await Promise.all(Array.from({ length: 12 }, (_, index) => create(`s${index}`)));
    const given = made.map(({ spec }) => spec.clusterIP).sort();
    const usable = [2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14].map((last) => `10.43.0.${last}`);
    expect(given).toEqual(usable.sort());
    await expect(create('more')).rejects.toMatchObject({
      reason: 'InternalError',
      message: 'Internal error occurred: failed to allocate a serviceIP: range is full',
    });
    await registry.delete(SERVICES, { namespace: 'default', name: 's3' });
    expect((await create('more')).spec.clusterIP).toBe(made[3]?.spec.clusterIP);
  });

  it('may be asked for, also the first and the tenth', async () => {
    expect((await create('kubernetes', { clusterIP: '10.43.0.1' })).spec.clusterIPs).toEqual([
      '10.43.0.1',
    ]);
    expect((await create('dns', { clusterIP: '10.43.0.10' })).spec.clusterIPs).toEqual([
      '10.43.0.10',
    ]);
  });

  it.each([{ clusterIPs: ['10.43.7.8'] }, { clusterIP: '10.43.7.9', clusterIPs: ['10.43.7.8'] }])(
    '%o is left for validation to refuse',
    async (spec) => {
      expect((await create('listed', spec)).spec).toMatchObject(spec);
    },
  );

  it('that is taken or out of range is refused', async () => {
    await create('a', { clusterIP: '10.43.7.7' });
    await expect(create('b', { clusterIP: '10.43.7.7' })).rejects.toMatchObject({
      reason: 'Invalid',
      message:
        'Service "b" is invalid: spec.clusterIPs: Invalid value: []string{"10.43.7.7"}: failed to allocate IP 10.43.7.7: provided IP is already allocated',
    });
    for (const address of ['10.44.0.1', '10.43.0.0', '10.43.255.255']) {
      await expect(create('b', { clusterIP: address })).rejects.toThrow(
        `failed to allocate IP ${address}: the provided network does not match the current range`,
      );
    }
  });

  it('of a family that the cluster does not have is refused, unless nothing is to be given', async () => {
    const ofIpv6 = { ipFamilies: ['IPv6'], ports: [{ port: 80 }] };
    const refusal =
      'Service "a" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster';
    const headless = { ...ofIpv6, clusterIP: 'None' };
    await expect(create('a', ofIpv6)).rejects.toThrow(refusal);
    await expect(create('a', { ...headless, selector: { a: 'b' } })).rejects.toThrow(refusal);
    expect((await create('open', headless)).spec.clusterIP).toBe('None');
  });

  it('of two writes at the same time is given to one', async () => {
    const results = await Promise.allSettled([
      create('a', { clusterIP: '10.43.7.7' }),
      create('b', { clusterIP: '10.43.7.7' }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('of a write that failed is free again', async () => {
    const wrong = { clusterIP: '10.43.7.7', sessionAffinity: 'wrong' };
    await expect(create('a', wrong)).rejects.toThrow('wrong');
    expect((await create('a', { clusterIP: '10.43.7.7' })).spec.clusterIP).toBe('10.43.7.7');
  });

  it('stays at updates, goes with the type ExternalName, and comes with another type', async () => {
    const { spec } = await create('a');
    expect((await update('a', { selector: { a: 'b' } })).spec.clusterIP).toBe(spec.clusterIP);
    const external = await update('a', { ...spec, type: 'ExternalName' });
    expect(external.spec.clusterIP).toBeUndefined();
    expect((await update('a', { type: 'ClusterIP' })).spec.clusterIP).toBeDefined();
  });
});

describe('a node port', () => {
  const web = { port: 80 };

  it('is given to services of type NodePort and LoadBalancer', async () => {
    for (const type of ['NodePort', 'LoadBalancer']) {
      const { spec } = await create(type.toLowerCase(), { type, ports: [web] });
      expect(spec.ports?.[0]?.nodePort).toBeGreaterThanOrEqual(30_086);
      expect(spec.ports?.[0]?.nodePort).toBeLessThanOrEqual(32_767);
    }
    const spec = { type: 'ClusterIP', ports: [web] };
    expect((await create('plain', spec)).spec.ports).toEqual([web]);
    const without = { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [web] };
    expect((await create('without', without)).spec.ports).toEqual([web]);
  });

  it('is one for the same port of two protocols', async () => {
    const ports = ['TCP', 'UDP'].map((protocol) => ({ port: 53, protocol, name: protocol }));
    const { spec } = await create('dns', { type: 'NodePort', ports });
    expect(spec.ports?.[0]?.nodePort).toBe(spec.ports?.[1]?.nodePort);
  });

  it('that is taken or out of range is refused', async () => {
    await create('a', { type: 'NodePort', ports: [{ ...web, nodePort: 30_080 }] });
    await expect(
      create('b', { type: 'NodePort', ports: [{ ...web, nodePort: 30_080 }] }),
    ).rejects.toThrow(
      'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated',
    );
    await expect(
      create('b', { type: 'NodePort', ports: [{ ...web, nodePort: 29_999 }] }),
    ).rejects.toThrow(
      'spec.ports[0].nodePort: Invalid value: 29999: provided port is not in the valid range. The range of valid ports is 30000-32767',
    );
  });

  it('is not used for two ports of one new service', async () => {
    const twice = { type: 'NodePort', ports: [{ name: 'a', port: 1, nodePort: 31_000 }] };
    await expect(
      create('a', { ...twice, ports: [...twice.ports, { name: 'b', port: 2, nodePort: 31_000 }] }),
    ).rejects.toThrow(
      'spec.ports[1].nodePort: Invalid value: 31000: provided port is already allocated',
    );
    const both = [...twice.ports, { name: 'b', port: 1, protocol: 'UDP', nodePort: 31_000 }];
    expect((await create('a', { ...twice, ports: both })).spec.ports).toHaveLength(2);
  });

  it('stays at updates that do not name it, and goes with the type', async () => {
    const { spec } = await create('a', { type: 'NodePort', ports: [web] });
    const next = await update('a', { type: 'NodePort', ports: [web], selector: { a: 'b' } });
    expect(next.spec.ports).toEqual(spec.ports);
    expect((await update('a', { ...next.spec, type: 'ClusterIP' })).spec.ports).toEqual([web]);
  });
});

describe('the port of the health check', () => {
  const balanced = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [{ port: 80 }] };

  it('is given to load balancers whose traffic stays local', async () => {
    const { spec } = await create('a', balanced);
    expect(spec.healthCheckNodePort).toBeGreaterThanOrEqual(30_000);
    expect(spec.healthCheckNodePort).not.toBe(spec.ports?.[0]?.nodePort);
    const other = await create('b', { ...balanced, externalTrafficPolicy: 'Cluster' });
    expect(other.spec).not.toHaveProperty('healthCheckNodePort');
  });

  it('may be asked for once, and does not change', async () => {
    await create('a', { ...balanced, healthCheckNodePort: 30_100 });
    await expect(create('b', { ...balanced, healthCheckNodePort: 30_100 })).rejects.toThrow(
      'failed to allocate requested HealthCheck NodePort 30100: provided port is already allocated',
    );
    const change = (healthCheckNodePort: number) =>
      registry.update(SERVICES, { namespace: 'default', name: 'a' }, (current) => ({
        ...current,
        spec: { ...current.spec, healthCheckNodePort },
      }));
    expect((await change(0)).spec.healthCheckNodePort).toBe(30_100);
    await expect(change(30_101)).rejects.toThrow('cannot change healthCheckNodePort');
  });
});

it('no address and no node port is ever held twice', async () => {
  const action = fc.record({
    name: fc.integer({ min: 0, max: 9 }),
    kind: fc.constantFrom('create', 'delete', 'update'),
    type: fc.constantFrom('ClusterIP', 'NodePort', 'ExternalName'),
    clusterIP: fc.constantFrom('', '', 'None', '10.43.0.3', '10.43.0.4'),
    nodePort: fc.constantFrom(0, 0, 30_001, 30_002),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
      registry = await open('10.43.0.0/28');
      const running = actions.map(async ({ name, kind, type, clusterIP, nodePort }) => {
        const spec = { type, clusterIP, ports: [{ port: 80, ...(nodePort ? { nodePort } : {}) }] };
        if (kind === 'create') await create(`s${name}`, spec);
        else if (kind === 'update') await update(`s${name}`, spec);
        else await registry.delete(SERVICES, { namespace: 'default', name: `s${name}` });
      });
      await Promise.allSettled(running);
      const services = registry.list(SERVICES).filter(({ spec }) => spec.type !== 'ExternalName');
      const addresses = services.flatMap(({ spec }) => spec.clusterIP ?? []);
      const held = addresses.filter((address) => address !== 'None');
      expect(addresses).toHaveLength(services.length);
      expect(new Set(held).size).toBe(held.length);
      const ports = services
        .filter(({ spec }) => spec.type === 'NodePort')
        .map(({ spec }) => spec.ports?.[0]?.nodePort);
      expect(ports).not.toContain(undefined);
      expect(new Set(ports).size).toBe(ports.length);
    }),
    { numRuns: 40 },
  );
});

function service(name: string, spec: ServiceSpec): Service {
  const stamps = { uid: '', resourceVersion: '', creationTimestamp: '' };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default', ...stamps },
    spec,
    status: {},
  };
}
