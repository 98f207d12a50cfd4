import { sign } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { CONFIG_MAPS } from '../../shared/resources/config-map.ts';
import { LEASES } from '../../shared/resources/lease.ts';
import { NODES } from '../../shared/resources/node.ts';
import { PODS } from '../../shared/resources/pod.ts';
import { SKERRY_VERSION } from '../../shared/version.ts';
import { decodeBody } from '../../shared/wire/body.ts';
import { encodeMessage } from '../../shared/wire/frame.ts';
import { readRefused, readSeen } from '../../shared/wire/report-messages.ts';
import {
  decodeStreamMessage,
  encodeStreamMessage,
  type StreamMessage,
} from '../../shared/wire/stream-messages.ts';
import { MAX_MESSAGE_BYTES } from '../../shared/wire/topics.ts';
import { Listener } from '../listener.ts';
import { epochOf } from '../store/revision.ts';
import { Fleet } from './fleet.ts';
import {
  type Certificate,
  CLUSTER,
  directoryOf,
  type NodeIdentity,
  newIdentity,
  nodeFrames,
  TestAuthority,
  TestLogger,
  TestNode,
  TestSigner,
  until,
} from './fleet-fixture.ts';
import { deflate } from './node-crypto.ts';
import { RegistryFixture } from './registry-fixture.ts';
import { SimulatedAgent } from './simulated-agent.ts';

const signer = new TestSigner();
const identities = [newIdentity('a'), newIdentity('b.lan')];
const [a, b] = identities as [NodeIdentity, NodeIdentity];
const certificates = new Map<string, Certificate>();
let authority: TestAuthority;
let serving: Certificate;
let fixture: RegistryFixture;
let log: TestLogger;
let refusals: [node: string, message: string][];
let fleet: Fleet;
let listener: Listener;
const nodes: TestNode[] = [];

beforeAll(async () => {
  authority = await TestAuthority.create();
  serving = await authority.server();
  for (const { name } of identities) certificates.set(name, await authority.node(name));
});

beforeEach(async () => {
  fixture = await new RegistryFixture().open();
  for (const { name } of identities) await fixture.addNode(name);
  log = new TestLogger();
  refusals = [];
  let ids = 0;
  fleet = new Fleet({
    cluster: CLUSTER,
    registry: fixture.registry,
    directory: directoryOf(identities),
    signer,
    clock: fixture.clock,
    log,
    newUid: () => `stream-${++ids}`,
    onRefused: (...refusal) => refusals.push(refusal),
  });
  listener = new Listener({
    host: '127.0.0.1',
    port: 0,
    certificate: serving,
    clientCa: authority.ca,
    onRequest: (_request, response) => response.end(),
    onMqtt: (connection, peer) => fleet.accept(connection, peer),
    log,
  });
  await fleet.start();
  await listener.start();
});

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.end();
  await fleet.stop();
  await listener.stop();
});

async function join(identity: NodeIdentity, session = '1.1', webSocket = false): Promise<TestNode> {
  const node = new TestNode({
    identity,
    session,
    masterKey: signer.keys.publicKey,
    port: listener.port,
    ca: authority.ca,
    certificate: certificates.get(identity.name) as Certificate,
    webSocket,
  });
  nodes.push(node);
  return node.ready();
}

/** Takes what comes to the node as an agent does, from now on. */
function simulate(node: TestNode): SimulatedAgent {
  const agent = new SimulatedAgent(({ kind, body }) => {
    // Answers may still be under way when the test ends.
    node.send('ack', kind, body).catch(() => {});
  });
  node.client.on('message', () => {
    for (const { header, body } of node.received.splice(0)) {
      if (header.kind === 'stream' || header.kind === 'seen') continue;
      agent.receive(header, decodeBody(body));
    }
  });
  return agent;
}

const statusOf = (name: string) =>
  fixture.registry.find(PODS, { namespace: 'default', name })?.status;

test.each([false, true])(
  'a node gets its pods over the link (web socket: %s)',
  async (webSocket) => {
    const agent = simulate(await join(a, '1.1', webSocket));
    await fixture.addPod('web', 'a');
    await until(() => agent.documents.has('pods/default/web'));
    await until(() => fleet.isSettled('a'));
    await fixture.registry.delete(
      PODS,
      { namespace: 'default', name: 'web' },
      { gracePeriodSeconds: 0 },
    );
    await until(() => !agent.documents.has('pods/default/web'));
  },
);

test('a node whose name has a dot gets its pods', async () => {
  const agent = simulate(await join(b));
  await fixture.addPod('web', 'b.lan');
  await until(() => agent.documents.has('pods/default/web'));
});

test('a snapshot of many megabytes comes through, in messages of the allowed size', async () => {
  const random = Array.from({ length: 6 }, (_, i) => ({
    name: `big${i}`,
    // Hardly compressible.
    text: Array.from({ length: 60_000 }, () => Math.random().toString(36).slice(2, 14)).join(''),
  }));
  for (const { name, text } of random) await fixture.addConfigMap(name, { text });
  await fixture.addPod('web', 'a', {
    volumes: random.map(({ name }) => ({ name, configMap: { name } })),
  } as never);
  const node = await join(a);
  let largest = 0;
  node.client.on('message', (_topic, payload) => {
    largest = Math.max(largest, payload.length);
  });
  const agent = simulate(node);
  agent.hello();
  await until(() => agent.documents.has('configmaps/default/big5'), 'the snapshot');
  expect(largest).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
  expect(log.lines.join()).not.toContain('does not read');
  const last = agent.documents.get('configmaps/default/big5')?.object['data'];
  expect(last).toEqual(
    fixture.registry.get(CONFIG_MAPS, { namespace: 'default', name: 'big5' }).data,
  );
});

test('reports are written and acknowledged, and a refused one is named', async () => {
  const { uid } = (await fixture.addPod('web', 'a')).metadata;
  const foreign = (await fixture.addPod('far', 'b.lan')).metadata.uid;
  const node = await join(a);
  const status = { phase: 'Running' };
  const sequence = await node.send('st', 'reports', {
    reports: [
      { key: `pods/default/web/${uid}`, body: { uid, status } },
      { key: `pods/default/far/${foreign}`, body: { uid: foreign, status } },
    ],
  });
  const seen = readSeen(decodeBody((await node.next('seen')).body));
  expect(seen).toEqual({
    sequence,
    refused: [{ key: `pods/default/far/${foreign}`, message: 'the pod is not on this node' }],
  });
  expect(statusOf('web')?.phase).toBe('Running');
  expect(statusOf('far')?.phase).not.toBe('Running');
});

test('a heartbeat renews the lease of the node', async () => {
  const node = await join(a);
  await node.send('al', 'alive', Buffer.from('1'));
  await until(
    () => fixture.registry.find(LEASES, { namespace: 'kube-node-lease', name: 'a' }) !== undefined,
  );
});

test('a message that another node signed is refused', async () => {
  const { uid } = (await fixture.addPod('web', 'a')).metadata;
  const node = await join(a);
  const body = Buffer.from(
    JSON.stringify({
      reports: [{ key: `pods/default/web/${uid}`, body: { uid, status: { phase: 'Failed' } } }],
    }),
  );
  const header = { kind: 'reports' as const, session: '1.1', sequence: 1 };
  const [forged] = nodeFrames({ ...a, signing: b.signing }, 'st', header, body);
  await node.publish('st', forged as Uint8Array);
  await until(() => log.lines.some((line) => line.includes('the signature does not match')));
  expect(statusOf('web')?.phase).not.toBe('Failed');
});

test('a message of another version is refused with a clear line', async () => {
  const node = await join(a);
  await node.publish('st', new Uint8Array([2, 0, 0]));
  await until(() => log.lines.some((line) => line.includes('message version 2 is not known here')));
});

test('a message that was sent before is not taken again, nor in another session', async () => {
  const { uid } = (await fixture.addPod('web', 'a')).metadata;
  const key = `pods/default/web/${uid}`;
  const first = await join(a, '1.1');
  const frameOf = (session: string, sequence: number, phase: string) => {
    const body = Buffer.from(
      JSON.stringify({ reports: [{ key, body: { uid, status: { phase } } }] }),
    );
    return nodeFrames(a, 'st', { kind: 'reports', session, sequence }, body)[0] as Uint8Array;
  };
  const old = frameOf('1.1', 1, 'Pending');
  await first.publish('st', old);
  await first.next('seen');
  await first.publish('st', frameOf('1.1', 2, 'Running'));
  await first.next('seen');
  await first.publish('st', old);
  await first.publish('st', frameOf('1.1', 3, 'Running'));
  await first.next('seen');
  expect(statusOf('web')?.phase).toBe('Running');
  await first.end();
  const second = await join(a, '1.2');
  await second.publish('st', frameOf('1.2', 1, 'Running'));
  await second.next('seen');
  await second.publish('st', frameOf('1.1', 9, 'Pending'));
  await until(() => log.lines.some((line) => line.includes('an earlier session')));
  expect(statusOf('web')?.phase).toBe('Running');
});

test('a body that inflates without end is refused', async () => {
  const node = await join(a);
  await node.publish('st', deflated(Buffer.alloc(10_000_000)));
  await until(() => log.lines.some((line) => line.includes('cannot be inflated')));
});

/** A frame whose body was deflated before it was signed, as the flag then says. */
function deflated(body: Buffer): Uint8Array {
  const header = { kind: 'reports' as const, session: '1.1', sequence: 1 };
  const { privateKey } = a.signing;
  const frames = encodeMessage(
    { cluster: CLUSTER, node: 'a', leaf: 'st' },
    { ...header, epoch: 0, term: 0, generation: 0 },
    body,
    { sign: (bytes) => sign(null, bytes, privateKey), deflate },
  );
  return frames[0] as Uint8Array;
}

test('a log comes over the link with credits, and ends', async () => {
  const node = await join(a);
  const total = 50;
  let granted = 16;
  let sent = 0;
  const send = (message: StreamMessage) => node.send('rs', 'stream', encodeStreamMessage(message));
  const pump = async (stream: string) => {
    while (sent < Math.min(granted, total)) {
      const bytes = Buffer.alloc(32 * 1024, sent);
      await send({ type: 'data', stream, sequence: sent++, channel: 0, bytes });
    }
    if (sent === total) await send({ type: 'end', stream, sequence: sent++ });
  };
  node.client.on('message', () => {
    for (const { header, body } of node.received.splice(0)) {
      if (header.kind !== 'stream') continue;
      const message = decodeStreamMessage(body);
      if (message.type === 'credit') granted = message.upTo;
      if (message.type === 'open' || message.type === 'credit')
        pump(message.stream).catch(() => {});
    }
  });
  await saysHello(node);
  let bytes = 0;
  const request = { namespace: 'default', pod: 'web', uid: 'u', container: 'c' };
  const options = { ...request, follow: true, previous: false, timestamps: false };
  for await (const chunk of fleet.streams.logs('a', options, new AbortController().signal)) {
    expect(chunk[0]).toBe(bytes / chunk.length);
    bytes += chunk.length;
  }
  expect(bytes).toBe(total * 32 * 1024);
});

test('a log breaks off when the node disconnects', async () => {
  const node = await join(a);
  await saysHello(node);
  const request = { namespace: 'default', pod: 'web', uid: 'u', container: 'c' };
  const options = { ...request, follow: true, previous: false, timestamps: false };
  const reading = (async () => {
    for await (const _ of fleet.streams.logs('a', options, new AbortController().signal));
  })();
  const broken = expect(reading).rejects.toMatchObject({ reason: 'ServiceUnavailable' });
  await node.next('stream');
  await node.end();
  await broken;
});

/** Until its first message a node has no session, and nothing can be sent to it. */
async function saysHello(node: TestNode): Promise<void> {
  await node.send('ack', 'hello', {
    have: { epoch: 0, generation: 0, hash: '' },
    capabilities: [],
    release: SKERRY_VERSION,
  });
  await node.send('al', 'alive', Buffer.from('1'));
  await until(
    () => fixture.registry.find(LEASES, { namespace: 'kube-node-lease', name: 'a' }) !== undefined,
  );
}

test('a node of a release too far away is told why, and nothing of it is heard', async () => {
  const node = await join(a);
  await node.send('ack', 'hello', {
    have: { epoch: 0, generation: 0, hash: '' },
    capabilities: [],
    release: '99.0.0',
  });
  const { body } = await node.next('refused');
  expect(readRefused(decodeBody(body)).message).toContain('upgrade the master first');
  expect(refusals).toEqual([['a', expect.stringContaining('99.0.0')]]);
  await node.send('al', 'alive', Buffer.from('1'));
  await node.send('ack', 'hello', {
    have: { epoch: 0, generation: 0, hash: '' },
    capabilities: [],
    release: SKERRY_VERSION,
  });
  // The next session is heard again, and tells that nothing of the former one came through.
  await node.end();
  await saysHello(await join(a, '2.1'));
  expect(node.received.filter(({ header }) => header.kind === 'snapshot')).toEqual([]);
});

test('a node that is deleted is disconnected', async () => {
  await join(a);
  await fixture.registry.delete(NODES, { namespace: '', name: 'a' });
  await until(() => !fleet.isConnected('a'));
});

test('a master that was restored raises the epoch, once for each node that tells it', async () => {
  const agent = simulate(await join(a));
  agent.have = { epoch: 2, generation: 5, hash: 'of a lost time' };
  agent.hello();
  await until(() => fleet.isSettled('a'), 'the snapshot');
  expect(agent.have.epoch).toBe(3);
  agent.have = { epoch: 5, generation: 5, hash: 'evil' };
  agent.hello();
  await until(() => fleet.isSettled('a') && agent.have.hash !== 'evil', 'the second snapshot');
  expect(epochOf(fixture.registry.cache.revision())).toBe(3);
});

test('the retained head is that of the state at the moment of the subscription', async () => {
  await fixture.addPod('web', 'a');
  const node = await join(a);
  const head = await node.next('head');
  expect(head.header).toMatchObject({
    session: '',
    generation: fixture.registry.cache.revision(),
    epoch: 0,
  });
});

test('what a node is sent bears its session, so that it is worth nothing in another', async () => {
  const node = await join(a, '4.2');
  await node.send('ack', 'hello', {
    have: { epoch: 0, generation: 0, hash: '' },
    capabilities: [],
    release: SKERRY_VERSION,
  });
  expect((await node.next('snapshot')).header.session).toBe('4.2');
});
