import { expect, test } from 'vitest';
import type { JsonObject } from '../shared/meta/kube-object.ts';
import { NODES } from '../shared/resources/node.ts';
import { type LocalMachine, localObjects } from './local-objects.ts';

const GIB = 1024 ** 3;
const MACHINE: LocalMachine = {
  nodeName: 'pi',
  hostName: 'pi',
  architecture: 'arm64',
  facts: {
    cpus: 4,
    memoryBytes: 4 * GIB,
    storageBytes: 32 * GIB,
    kernelVersion: '6.12.1',
    osImage: 'Debian GNU/Linux 12 (bookworm)',
    machineId: 'm',
    bootId: 'b',
    systemUuid: 'u',
  },
  figures: {
    memoryAvailableBytes: GIB,
    storageAvailableShare: 0.5,
    inodesFreeShare: 0.5,
    threads: 100,
    threadsMax: 30_000,
  },
  address: '192.0.2.7',
  agentRuns: true,
  nowMs: Date.parse('2026-12-01T10:00:00Z'),
};
const DOCUMENTS: Record<string, object> = {
  'nodes//pi': {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'pi', uid: 'n1', creationTimestamp: '2026-12-01T08:00:00Z', labels: {} },
    spec: { podCIDR: '10.42.1.0/24' },
  },
  'peers//hub': {
    name: 'hub',
    creationTimestamp: '2026-11-28T10:00:00Z',
    podCIDRs: ['10.42.0.0/24'],
    internalIP: '192.0.2.1',
    annotations: {},
  },
  'peers//new': { name: 'new', podCIDRs: [], annotations: {} },
  'services/shop/web': {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop', uid: 's1' },
    spec: { type: 'ClusterIP', clusterIPs: ['10.43.0.9'], ports: [{ port: 80 }] },
  },
  'cluster//network': { clusterCidr: '10.42.0.0/16' },
};

function objects(machine: Partial<LocalMachine> = {}) {
  const documents = new Map(Object.entries(DOCUMENTS)) as Map<string, JsonObject>;
  return localObjects({ documents, records: new Map() }, { ...MACHINE, ...machine });
}

const cells = (name: string, machine: Partial<LocalMachine> = {}) => {
  const node = objects(machine).nodes.find(({ metadata }) => metadata.name === name);
  return node && NODES.columns.map(({ cell }) => cell(node, MACHINE.nowMs));
};

test('a device shows itself as it is now, once, among the others', () => {
  expect(objects().nodes.map(({ metadata }) => metadata.name)).toEqual(['hub', 'new', 'pi']);
  expect(cells('pi')).toEqual([
    'pi',
    'Ready',
    '<none>',
    '120m',
    expect.stringMatching(/^v1\.33/),
    '192.0.2.7',
    '<none>',
    'Debian GNU/Linux 12 (bookworm)',
    '6.12.1',
    '<unknown>',
  ]);
});

test('of the others it knows where they are, and not how they are', () => {
  expect(cells('hub')?.slice(0, 6)).toEqual(['hub', 'Unknown', '<none>', '3d', '', '192.0.2.1']);
  expect(cells('new')?.slice(0, 6)).toEqual([
    'new',
    'Unknown',
    '<none>',
    '<unknown>',
    '',
    '<none>',
  ]);
});

test('an address that the agent has told its pods is the one', () => {
  const pod = {
    metadata: { name: 'web', namespace: 'shop', uid: 'u1' },
    status: { phase: 'Running', hostIP: '198.51.100.4' },
  };
  const documents = new Map(Object.entries({ ...DOCUMENTS, 'pods/shop/web': pod }));
  const { nodes } = localObjects(
    { documents: documents as unknown as Map<string, JsonObject>, records: new Map() },
    MACHINE,
  );
  const own = nodes.find(({ metadata }) => metadata.name === 'pi');
  expect(own?.status.addresses?.[0]).toEqual({ type: 'InternalIP', address: '198.51.100.4' });
});

test('without its agent a device is not ready', () => {
  expect(cells('pi', { agentRuns: false })?.[1]).toBe('NotReady');
});

test('conditions claim no time at which they began', () => {
  const node = objects().nodes.find(({ metadata }) => metadata.name === 'pi');
  expect(node?.status.conditions?.map((condition) => Object.keys(condition))).toEqual(
    Array.from({ length: 4 }, () => ['type', 'status', 'reason', 'message']),
  );
});

test('a service is whole enough to be printed', () => {
  expect(objects().services).toEqual([
    { ...(DOCUMENTS['services/shop/web'] as object), status: { loadBalancer: {} } },
  ]);
});
