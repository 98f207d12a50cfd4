import { beforeEach, expect, test } from 'vitest';
import { ApiError } from '../../shared/errors.ts';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import { EVENTS } from '../../shared/resources/event.ts';
import { LEASES } from '../../shared/resources/lease.ts';
import { NAMESPACES } from '../../shared/resources/namespace.ts';
import { NODES } from '../../shared/resources/node.ts';
import { PODS } from '../../shared/resources/pod.ts';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import type { Seen } from '../../shared/wire/report-messages.ts';
import { TestLogger, until } from './fleet-fixture.ts';
import { RegistryFixture } from './registry-fixture.ts';
import { StatusIntake } from './status-intake.ts';

let fixture: RegistryFixture;
let intake: StatusIntake;
let seen: Seen[];
let log: TestLogger;
let sequence: number;
let asked: string[];

beforeEach(async () => {
  fixture = await new RegistryFixture().open();
  await fixture.addNode('a');
  seen = [];
  sequence = 0;
  asked = [];
  log = new TestLogger();
  intake = new StatusIntake({
    ...fixture,
    log,
    acknowledge: (_node, _session, batch) => seen.push(batch),
    askForAll: (node) => asked.push(node),
    clock: fixture.clock,
    registry: fixture.registry,
  });
});

/** Reports as node `a`, and answers why it was refused; undefined when it was not. */
async function report(key: string, body: JsonObject): Promise<string | undefined> {
  sequence += 1;
  intake.reports('a', { session: '1.1', sequence, reports: [{ key, body }] });
  await intake.stop();
  const answer = seen.find((batch) => batch.sequence === sequence);
  expect(answer).toBeDefined();
  return answer?.refused[0]?.message;
}

function pod(name: string): Pod | undefined {
  return fixture.registry.find(PODS, { namespace: 'default', name });
}

const RUNNING = {
  phase: 'Running',
  podIP: '10.42.0.2',
  conditions: [{ type: 'Ready', status: 'True' }],
};

test('a status of a pod on the node is written, with conditions of others kept', async () => {
  const { metadata } = await fixture.addPod('web', 'a');
  const uid = metadata.uid;
  await fixture.registry.update(
    PODS,
    { namespace: 'default', name: 'web' },
    (current) => ({
      ...current,
      status: {
        ...current.status,
        conditions: [
          { type: 'PodScheduled', status: 'True', lastTransitionTime: '2025-01-01T00:00:00Z' },
        ],
      },
    }),
    { subresource: 'status' },
  );
  expect(await report(`pods/default/web/${uid}`, { uid, status: RUNNING })).toBeUndefined();
  expect(pod('web')?.status).toMatchObject({ phase: 'Running', podIP: '10.42.0.2' });
  expect(pod('web')?.status?.conditions).toEqual([
    { type: 'PodScheduled', status: 'True', lastTransitionTime: '2025-01-01T00:00:00Z' },
    { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' },
  ]);
});

test('the same status again writes nothing', async () => {
  const { uid } = (await fixture.addPod('web', 'a')).metadata;
  await report(`pods/default/web/${uid}`, { uid, status: RUNNING });
  const before = pod('web')?.metadata.resourceVersion;
  fixture.clock.advance(60_000);
  await report(`pods/default/web/${uid}`, { uid, status: RUNNING });
  expect(pod('web')?.metadata.resourceVersion).toBe(before);
});

test('a status of a pod on another node is refused', async () => {
  const { uid } = (await fixture.addPod('web', 'b')).metadata;
  expect(await report(`pods/default/web/${uid}`, { uid, status: RUNNING })).toBe(
    'the pod is not on this node',
  );
  expect(pod('web')?.status?.phase).not.toBe('Running');
});

test('a status of a former pod of the same name changes nothing and is settled', async () => {
  await fixture.addPod('web', 'a');
  const uid = 'former';
  expect(await report(`pods/default/web/${uid}`, { uid, status: RUNNING })).toBeUndefined();
  expect(pod('web')?.status?.phase).not.toBe('Running');
  expect(await report('pods/default/none/u', { uid: 'u', status: RUNNING })).toBeUndefined();
});

test('a key that does not match its uid is refused', async () => {
  const { uid } = (await fixture.addPod('web', 'a')).metadata;
  expect(await report('pods/default/web/other', { uid, status: RUNNING })).toContain('uid');
});

test('a pod that has ended does not run again', async () => {
  const { uid } = (await fixture.addPod('web', 'a')).metadata;
  await report(`pods/default/web/${uid}`, { uid, status: { phase: 'Failed', reason: 'Evicted' } });
  await report(`pods/default/web/${uid}`, { uid, status: RUNNING });
  expect(pod('web')?.status).toMatchObject({ phase: 'Failed', reason: 'Evicted' });
});

test('a pod that is gone is removed only when it was deleted', async () => {
  const { uid } = (await fixture.addPod('web', 'a')).metadata;
  await report(`pods/default/web/${uid}`, { uid, gone: true });
  expect(pod('web')).toBeDefined();
  await fixture.registry.update(PODS, { namespace: 'default', name: 'web' }, (current) => ({
    ...current,
    metadata: { ...current.metadata, finalizers: ['test.example/hold'] },
  }));
  await fixture.registry.delete(
    PODS,
    { namespace: 'default', name: 'web' },
    { gracePeriodSeconds: 30 },
  );
  await report(`pods/default/web/${uid}`, { uid, gone: true });
  expect(pod('web')?.metadata.deletionTimestamp).toBeDefined();
  await fixture.registry.update(PODS, { namespace: 'default', name: 'web' }, (current) => ({
    ...current,
    metadata: { ...current.metadata, finalizers: [] },
  }));
  await report(`pods/default/web/${uid}`, { uid, gone: true });
  expect(pod('web')).toBeUndefined();
});

const NODE_STATUS = {
  nodeInfo: { architecture: 'arm64', operatingSystem: 'linux' },
  conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'ready' }],
};

test('a node gets its labels, and its status is written', async () => {
  const labels = { 'skerry.dev/model': 'pi-4', 'kubernetes.io/hostname': 'forged' };
  expect(await report('nodes//a', { status: NODE_STATUS, labels })).toBeUndefined();
  const node = fixture.registry.get(NODES, { namespace: '', name: 'a' });
  expect(node.metadata.labels).toEqual({
    'beta.kubernetes.io/arch': 'arm64',
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'arm64',
    'kubernetes.io/hostname': 'a',
    'kubernetes.io/os': 'linux',
    'skerry.dev/model': 'pi-4',
  });
  expect(node.status.conditions?.[0]).toMatchObject({
    status: 'True',
    lastHeartbeatTime: '2026-01-01T00:00:00Z',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });
});

test('a node describes its hardware in annotations, and nothing else', async () => {
  const key = { namespace: '', name: 'a' };
  const before = fixture.registry.get(NODES, key).metadata.annotations;
  const annotations = {
    'hardware.skerry.dev/model': 'Raspberry Pi 4',
    'hardware.skerry.dev/disks': 7,
    'skerry.dev/signing-key': 'forged',
  };
  expect(await report('nodes//a', { status: NODE_STATUS, annotations })).toBeUndefined();
  expect(fixture.registry.get(NODES, key).metadata.annotations).toEqual({
    ...before,
    'hardware.skerry.dev/model': 'Raspberry Pi 4',
  });
  const revision = fixture.registry.cache.revision();
  await report('nodes//a', { status: NODE_STATUS, annotations });
  expect(fixture.registry.cache.revision()).toBe(revision);
});

test('what a node says of its network replaces what it said before', async () => {
  const key = { namespace: '', name: 'a' };
  const network = () => fixture.registry.get(NODES, key).metadata.annotations;
  const annotations = {
    'network.skerry.dev/peer.b': 'host-gw',
    'network.skerry.dev/peer.c': 'vxlan',
  };
  await report('nodes//a', { status: NODE_STATUS, annotations });
  expect(network()).toMatchObject(annotations);
  await report('nodes//a', {
    status: NODE_STATUS,
    annotations: { 'network.skerry.dev/peer.b': 'vxlan' },
  });
  expect(network()).toMatchObject({ 'network.skerry.dev/peer.b': 'vxlan' });
  expect(network()).not.toHaveProperty('network.skerry.dev/peer.c');
});

test('a report does not bring back a node that was deleted', async () => {
  await fixture.registry.delete(NODES, { namespace: '', name: 'a' });
  expect(await report('nodes//a', { status: NODE_STATUS })).toBe('the node was deleted');
  intake.alive('a');
  await intake.stop();
  expect(fixture.registry.find(NODES, { namespace: '', name: 'a' })).toBeUndefined();
});

test('a condition that says what it said before keeps its time, whatever the agent says', async () => {
  await report('nodes//a', { status: NODE_STATUS });
  const [ready] = NODE_STATUS.conditions;
  const lastTransitionTime = '2026-01-02T00:00:00Z';
  fixture.clock.advance(600_000);
  await report('nodes//a', {
    status: { ...NODE_STATUS, conditions: [{ ...ready, message: 'again', lastTransitionTime }] },
  });
  const { status } = fixture.registry.get(NODES, { namespace: '', name: 'a' });
  expect(status.conditions?.[0]).toMatchObject({
    lastTransitionTime: '2026-01-01T00:00:00Z',
    lastHeartbeatTime: '2026-01-01T00:10:00Z',
  });
});

test('an unchanged node status writes nothing, however late', async () => {
  await report('nodes//a', { status: NODE_STATUS });
  const before = fixture.registry.cache.revision();
  fixture.clock.advance(600_000);
  await report('nodes//a', { status: NODE_STATUS });
  expect(fixture.registry.cache.revision()).toBe(before);
});

test('a node cannot report about another node', async () => {
  expect(await report('nodes//b', { status: NODE_STATUS })).toBe(
    'a node reports about itself only',
  );
});

test('a heartbeat renews the lease, ends the time of being Unknown, and asks how the pods are', async () => {
  await report('nodes//a', { status: NODE_STATUS });
  intake.alive('a');
  await intake.stop();
  const key = { namespace: 'kube-node-lease', name: 'a' };
  const lease = fixture.registry.get(LEASES, key);
  expect(lease.spec).toEqual({
    holderIdentity: 'a',
    leaseDurationSeconds: 40,
    renewTime: '2026-01-01T00:00:00.000000Z',
  });
  expect(lease.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Node', name: 'a' });
  await fixture.registry.update(
    NODES,
    { namespace: '', name: 'a' },
    (node) => ({
      ...node,
      status: { ...node.status, conditions: [{ type: 'Ready', status: 'Unknown' }] },
    }),
    { subresource: 'status' },
  );
  fixture.clock.advance(10_000);
  intake.alive('a');
  await intake.stop();
  expect(fixture.registry.get(LEASES, key).spec.renewTime).toBe('2026-01-01T00:00:10.000000Z');
  const node = fixture.registry.get(NODES, { namespace: '', name: 'a' });
  expect(node.status.conditions?.[0]?.status).toBe('True');
  // They were marked as not ready with their node, and what they last said was told before.
  expect(asked).toEqual(['a']);
  intake.alive('a');
  await intake.stop();
  expect(asked).toEqual(['a']);
});

test('a node whose reports are not known here is asked for them with its heartbeat', async () => {
  intake.alive('a');
  await intake.stop();
  expect(asked).toEqual(['a']);
  await report('nodes//a', { status: NODE_STATUS });
  intake.alive('a');
  await intake.stop();
  expect(asked).toEqual(['a']);
});

function podEvent(name: string, count: number): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'web.1', namespace: 'default' },
    involvedObject: { kind: 'Pod', namespace: 'default', name },
    type: 'Normal',
    reason: 'Started',
    message: 'Started container main',
    count,
    source: { component: 'kubelet', host: 'forged' },
  };
}

test('events about the pods of the node are written and counted', async () => {
  await fixture.addPod('web', 'a');
  expect(await report('events/default/web.1', podEvent('web', 1))).toBeUndefined();
  expect(await report('events/default/web.1', podEvent('web', 2))).toBeUndefined();
  const event = fixture.registry.get(EVENTS, { namespace: 'default', name: 'web.1' });
  expect(event).toMatchObject({ count: 2, source: { component: 'kubelet', host: 'a' } });
});

test('events about the node itself are written', async () => {
  const about = { ...podEvent('', 1), involvedObject: { kind: 'Node', name: 'a' } };
  expect(await report('events/default/a.1', about)).toBeUndefined();
  expect(await report('events/kube-system/a.1', about)).toContain('lie in default');
});

test("events about anything else, and over another node's events, are refused", async () => {
  await fixture.addPod('far', 'b');
  expect(await report('events/default/x', podEvent('far', 1))).toContain('no pod of this node');
  const secret = { ...podEvent('web', 1), involvedObject: { kind: 'Secret', name: 's' } };
  expect(await report('events/default/x', secret)).toContain('neither');
  await fixture.addPod('web', 'a');
  await report('events/default/web.1', podEvent('web', 1));
  await fixture.registry.update(EVENTS, { namespace: 'default', name: 'web.1' }, (event) => ({
    ...event,
    source: { host: 'b' },
  }));
  expect(await report('events/default/web.1', podEvent('web', 2))).toContain('not of this node');
});

test('events about a pod that is gone, or whose namespace ends, are dropped without a word', async () => {
  expect(await report('events/default/gone.1', podEvent('gone', 1))).toBeUndefined();
  const { registry } = fixture;
  const metadata = { name: 'bay', uid: '', resourceVersion: '', creationTimestamp: '' };
  const bay = { apiVersion: 'v1', kind: 'Namespace', metadata, spec: {}, status: {} } as const;
  await registry.create(NAMESPACES, bay);
  const pod = await fixture.addPod('web', 'a');
  await registry.create(PODS, { ...pod, metadata: { ...metadata, name: 'web', namespace: 'bay' } });
  await registry.delete(NAMESPACES, { namespace: '', name: 'bay' });
  const about = { kind: 'Pod', namespace: 'bay', name: 'web' };
  const event = { ...podEvent('web', 1), involvedObject: about };
  expect(await report('events/bay/web.1', event)).toBeUndefined();
  expect(log.lines).toEqual([]);
  expect(fixture.registry.list(EVENTS)).toEqual([]);
});

test('reports of unknown kinds are refused, so that they do not come again', async () => {
  expect(await report('robots//x', {})).toContain('not known');
});

test('what fails for now is not acknowledged, and written when it comes again', async () => {
  const { uid } = (await fixture.addPod('web', 'a')).metadata;
  const { store } = fixture;
  const txn = store.txn.bind(store);
  store.txn = async () => {
    throw new ApiError('ServiceUnavailable', 'not now');
  };
  const batch = {
    session: '1.1',
    sequence: 1,
    reports: [{ key: `pods/default/web/${uid}`, body: { uid, status: RUNNING } }],
  };
  intake.reports('a', batch);
  await until(() => log.lines.some((line) => line.includes('for now')));
  expect(seen).toEqual([]);
  store.txn = txn;
  intake.reports('a', { ...batch, sequence: 2 });
  await intake.stop();
  expect(seen).toEqual([{ sequence: 2, refused: [] }]);
  expect(pod('web')?.status?.phase).toBe('Running');
});

test('of the batches that a node sends without waiting, the first and the newest are taken', async () => {
  const { uid } = (await fixture.addPod('web', 'a')).metadata;
  const { store } = fixture;
  const txn = store.txn.bind(store);
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  store.txn = async (...parts) => {
    await gate;
    return txn(...parts);
  };
  const send = (node: string, sequence: number) => {
    const status = { ...RUNNING, message: `${sequence}` };
    const reports = [{ key: `pods/default/web/${uid}`, body: { uid, status } }];
    intake.reports(node, { session: '1.1', sequence, reports });
  };
  for (let sequence = 1; sequence <= 5; sequence += 1) send('a', sequence);
  send('b', 6);
  open();
  await intake.stop();
  expect(seen.map(({ sequence }) => sequence).sort()).toEqual([1, 5, 6]);
  expect(pod('web')?.status?.message).toBe('5');
  send('a', 7);
  await intake.stop();
  expect(seen.at(-1)?.sequence).toBe(7);
});
