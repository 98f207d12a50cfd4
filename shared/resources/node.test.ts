import { describe, expect, it } from 'vitest';
import type { Event, Lease, Namespace, Node } from '../schema/kubernetes-types.ts';
import { EVENTS } from './event.ts';
import { LEASES } from './lease.ts';
import { NAMESPACES } from './namespace.ts';
import { NODES } from './node.ts';
import { cells, created, createErrors, sent, updated, updateErrors } from './writes-for-tests.ts';

const clusterScoped = { namespace: undefined };
const node = (fields: object): Node =>
  sent<Node>({ ...fields, metadata: { ...clusterScoped, ...(fields as Node).metadata } });
const namespace = (fields: object = {}): Namespace =>
  sent<Namespace>({ ...fields, metadata: clusterScoped });

describe('a node', () => {
  it('registers with its status, in canonical amounts', () => {
    const status = { capacity: { cpu: '4000m', memory: '1048576Ki' } };
    const stored = created(NODES, node({ spec: { podCIDR: '10.42.0.0/24' }, status }));
    expect(stored.status.capacity).toEqual({ cpu: '4', memory: '1Gi' });
    expect(stored.status.allocatable).toEqual({ cpu: '4', memory: '1Gi' });
    expect(stored.spec.podCIDRs).toEqual(['10.42.0.0/24']);
    expect(createErrors(NODES, node({ status }))).toEqual([]);
  });

  it.each<[string, object, string]>([
    [
      'a negative capacity',
      { status: { capacity: { memory: '-1' }, allocatable: {} } },
      'status.capacity.memory: Invalid value: "-1": must be greater than or equal to 0',
    ],
    [
      'half a pod',
      { status: { allocatable: { pods: '1500m' } } },
      'status.allocatable.pods: Invalid value: resource.Quantity{i:resource.int64Amount{value:1500, scale:-3}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"1500m", Format:"DecimalSI"}: must be an integer',
    ],
    [
      'a range',
      { spec: { podCIDRs: ['x'] } },
      'spec.podCIDRs[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ],
    [
      'a taint',
      { spec: { taints: [{ key: 'a', effect: 'X' }] } },
      'metadata.taints[0].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ],
    [
      'a namespace',
      { metadata: { namespace: 'default' } },
      'metadata.namespace: Forbidden: not allowed on this type',
    ],
  ])('with %s is refused', (_what, fields, message) => {
    expect(createErrors(NODES, node(fields))).toEqual([message]);
  });

  it('keeps its pod range and provider once they are set', () => {
    const stored = created(NODES, node({ spec: { podCIDRs: ['10.42.0.0/24'], providerID: 'a' } }));
    expect(
      updateErrors(NODES, node({ spec: { podCIDRs: ['10.42.1.0/24'], providerID: 'b' } }), stored),
    ).toEqual([
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    ]);
    const fresh = created(NODES, node({}));
    expect(updateErrors(NODES, node({ spec: { podCIDR: '10.42.0.0/24' } }), fresh)).toEqual([]);
  });

  it('prints as kubectl shows it', () => {
    const labels = {
      'node-role.kubernetes.io/worker': '',
      'node-role.kubernetes.io/control-plane': '',
    };
    const object = node({
      metadata: { labels },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
        nodeInfo: {
          kubeletVersion: 'v1.33.13',
          osImage: 'Debian',
          kernelVersion: '6.1',
          containerRuntimeVersion: 'podman://5',
        },
      },
    });
    expect(cells(NODES, object)).toEqual({
      Name: 'web',
      Status: 'Ready,SchedulingDisabled',
      Roles: 'control-plane,worker',
      Age: '<unknown>',
      Version: 'v1.33.13',
      'Internal-IP': '10.0.0.1',
      'External-IP': '<none>',
      'OS-Image': 'Debian',
      'Kernel-Version': '6.1',
      'Container-Runtime': 'podman://5',
    });
    expect(cells(NODES, created(NODES, node({})))).toMatchObject({
      Status: 'Unknown',
      Roles: '<none>',
    });
    expect(NODES.selectableFields['spec.unschedulable']?.(object)).toBe('true');
  });
});

describe('a namespace', () => {
  it('is active, labelled with its name and kept by its finalizer', () => {
    const stored = created(NAMESPACES, namespace());
    expect(stored.spec).toEqual({ finalizers: ['kubernetes'] });
    expect(stored.status).toEqual({ phase: 'Active' });
    expect(stored.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': 'web' });
    expect(NAMESPACES.strategy.default(stored)).toEqual(stored);
    expect(createErrors(NAMESPACES, namespace())).toEqual([]);
    expect(NAMESPACES.verbs).not.toContain('deletecollection');
  });

  it('keeps finalizer and status at an update', () => {
    const stored = created(NAMESPACES, namespace());
    const next = namespace({ spec: { finalizers: [] }, status: { phase: 'Terminating' } });
    expect(updated(NAMESPACES, next, stored)).toEqual({
      ...stored,
      metadata: { ...stored.metadata },
    });
  });

  it('is Terminating exactly while it is being deleted', () => {
    const stored = created(NAMESPACES, namespace());
    const next = { ...stored, status: { phase: 'Terminating' } };
    const [error] = NAMESPACES.strategy.validateStatusUpdate?.(next, stored) ?? [];
    expect(`${error?.field}: ${error?.message}`).toBe(
      'status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
    );
    const metadata = { ...stored.metadata, deletionTimestamp: 'x' };
    expect(
      NAMESPACES.strategy.validateStatusUpdate?.({ ...next, metadata }, { ...stored, metadata }),
    ).toEqual([]);
  });
});

describe('a lease', () => {
  it('is kept in memory only where nodes renew it', () => {
    expect(LEASES.isVolatile({ namespace: 'kube-node-lease', name: 'n' })).toBe(true);
    expect(LEASES.isVolatile({ namespace: 'default', name: 'n' })).toBe(false);
  });

  it('lasts for some time', () => {
    const lease = (spec: object): Lease => sent<Lease>({ spec });
    expect(createErrors(LEASES, lease({ holderIdentity: 'n', leaseDurationSeconds: 40 }))).toEqual(
      [],
    );
    expect(createErrors(LEASES, lease({ leaseDurationSeconds: 0, leaseTransitions: -1 }))).toEqual([
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
      'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
    ]);
    expect(cells(LEASES, lease({ holderIdentity: 'n' }))['Holder']).toBe('n');
  });
});

describe('an event', () => {
  const event = (fields: object = {}): Event =>
    sent<Event>({
      involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
      reason: 'Started',
      message: 'it runs\n',
      type: 'Normal',
      ...fields,
    });

  it('lives with the object it is about', () => {
    expect(createErrors(EVENTS, event())).toEqual([]);
    expect(createErrors(EVENTS, event({ involvedObject: { namespace: 'other' } }))).toEqual([
      'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
    ]);
    expect(createErrors(EVENTS, event({ involvedObject: { kind: 'Node', name: 'n' } }))).toEqual(
      [],
    );
  });

  it('of the newer form names its reporter', () => {
    expect(createErrors(EVENTS, event({ eventTime: '2026-01-01T00:00:00.000000Z' }))).toContain(
      'reportingComponent: Required value',
    );
  });

  it('prints as kubectl shows it', () => {
    const now = Date.parse('2026-01-01T00:01:00Z');
    const object = created(
      EVENTS,
      event({
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:50Z',
        count: 3,
        source: { component: 'skerry', host: 'n1' },
      }),
    );
    expect(cells(EVENTS, object, now)).toEqual({
      'Last Seen': '10s',
      Type: 'Normal',
      Reason: 'Started',
      Object: 'pod/p',
      Subobject: '',
      Source: 'skerry, n1',
      Message: 'it runs',
      'First Seen': '60s',
      Count: 3,
      Name: 'web',
    });
    expect(EVENTS.selectableFields['involvedObject.name']?.(object)).toBe('p');
    expect(EVENTS.selectableFields['source']?.(object)).toBe('skerry');
  });
});
