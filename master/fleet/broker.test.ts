import { Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { nodeTopic } from '../../shared/wire/topics.ts';
import { Listener } from '../listener.ts';
import { Broker } from './broker.ts';
import {
  type Certificate,
  CLUSTER,
  connectMqtt,
  eventOf,
  TestAuthority,
  TestLogger,
  until,
} from './fleet-fixture.ts';

let authority: TestAuthority;
let serving: Certificate;
const certificates = new Map<string, Certificate>();
let log: TestLogger;
let broker: Broker;
let listener: Listener;
let messages: { node: string; leaf: string; text: string }[];
let connections: string[];
let heads: string[];
const clients: { end(force: boolean): unknown }[] = [];

beforeAll(async () => {
  authority = await TestAuthority.create();
  serving = await authority.server();
  for (const node of ['a', 'b', 'gone']) certificates.set(node, await authority.node(node));
});

beforeEach(async () => {
  log = new TestLogger();
  messages = [];
  connections = [];
  heads = [];
  await start();
});

async function start(drainTimeoutMs = 500): Promise<void> {
  broker = new Broker({
    cluster: CLUSTER,
    isEnrolled: ({ node }) => node !== 'gone',
    head: (node) => {
      heads.push(node);
      return Buffer.from(`head of ${node}`);
    },
    events: {
      message: (node, leaf, payload) =>
        messages.push({ node, leaf, text: Buffer.from(payload).toString() }),
      connected: (node) => connections.push(`+${node}`),
      disconnected: (node) => connections.push(`-${node}`),
    },
    log,
    drainTimeoutMs,
  });
  await broker.start();
  listener = new Listener({
    host: '127.0.0.1',
    port: 0,
    certificate: serving,
    clientCa: authority.ca,
    onRequest: (_request, response) => response.end('api'),
    onMqtt: (connection, peer) => broker.accept(connection, peer),
    log,
  });
  await listener.start();
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true);
  await broker.stop();
  await listener.stop();
});

function client(node: string, options: Partial<Parameters<typeof connectMqtt>[0]> = {}) {
  const certificate = certificates.get(node);
  const made = connectMqtt({
    port: listener.port,
    ca: authority.ca,
    ...(certificate ? { certificate } : {}),
    clientId: node,
    ...options,
  });
  made.on('error', () => {});
  clients.push(made);
  return made;
}

async function connected(node: string, options: Partial<Parameters<typeof connectMqtt>[0]> = {}) {
  const made = client(node, options);
  await eventOf(made, 'connect');
  return made;
}

/** Speaks MQTT byte by byte. */
async function rawSocket(node: string): Promise<TLSSocket> {
  const socket = connectTls({
    port: listener.port,
    host: '127.0.0.1',
    ca: authority.ca,
    ...certificates.get(node),
    ALPNProtocols: ['mqtt'],
  });
  socket.on('error', () => {});
  clients.push({ end: () => socket.destroy() });
  await eventOf(socket, 'secureConnect');
  return socket;
}

function connectPacket(clientId: string): Buffer {
  const variable = Buffer.from([0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 60, 0, clientId.length]);
  return Buffer.concat([
    Buffer.from([0x10, variable.length + clientId.length]),
    variable,
    Buffer.from(clientId),
  ]);
}

test.each([false, true])(
  'a node with its certificate connects (web socket: %s)',
  async (webSocket) => {
    const a = await connected('a', { webSocket });
    await a.publishAsync(nodeTopic(CLUSTER, 'a', 'st'), 'x', { qos: 1 });
    await until(() => messages.length > 0);
    expect(messages).toEqual([{ node: 'a', leaf: 'st', text: 'x' }]);
    expect(connections).toEqual(['+a']);
  },
);

test.each([
  ['without a certificate', 'nobody', 'nobody'],
  ['whose enrolment ended', 'gone', 'gone'],
  ["with another node's client id", 'a', 'b'],
])('a client %s is refused', async (_why, node, clientId) => {
  const refused = client(node, { clientId });
  const [error] = await eventOf(refused, 'error');
  expect((error as Error).message).toContain('Not authorized');
  expect(connections).toEqual([]);
});

test('a certificate of another kind is no node', async () => {
  const admin = await authority.client('admin', 'system:masters');
  const refused = client('a', { certificate: admin });
  await eventOf(refused, 'error');
  expect(connections).toEqual([]);
});

test('a certificate of another authority is no node', async () => {
  const other = await TestAuthority.create();
  const refused = client('a', { certificate: await other.node('a') });
  await eventOf(refused, 'error');
  expect(connections).toEqual([]);
});

test.each([
  nodeTopic(CLUSTER, 'b', 'st'),
  nodeTopic(CLUSTER, 'a', 'd'),
  nodeTopic('other', 'a', 'st'),
  `skerry/${CLUSTER}/_m`,
  '$SYS/x/heartbeat',
  'elsewhere',
])('publishing to %s ends the connection', async (topic) => {
  const a = await connected('a');
  a.publish(topic, 'x', { qos: 1 });
  await eventOf(a, 'close');
  expect(messages).toEqual([]);
  expect(log.lines.join()).toContain(`may not publish to ${topic}`);
});

test('publishing a retained message or with QoS 2 ends the connection', async () => {
  for (const options of [{ qos: 1, retain: true }, { qos: 2 }] as const) {
    const a = await connected('a');
    a.publish(nodeTopic(CLUSTER, 'a', 'st'), 'x', options);
    await eventOf(a, 'close');
  }
  expect(messages).toEqual([]);
});

test("a will on another node's topic is refused at the connection", async () => {
  const a = client('a', {
    will: { topic: nodeTopic(CLUSTER, 'b', 'al'), payload: Buffer.from('x') },
  });
  await eventOf(a, 'close');
  expect(connections).toEqual([]);
  expect(log.lines.join()).toContain('may not leave a will');
});

test('a node may subscribe to its own three topics and the beacon, and to nothing else', async () => {
  const a = await connected('a');
  const granted = await a.subscribeAsync(
    [
      nodeTopic(CLUSTER, 'a', 'head'),
      nodeTopic(CLUSTER, 'a', 'd'),
      nodeTopic(CLUSTER, 'a', 'rq'),
      `skerry/${CLUSTER}/_m`,
    ],
    { qos: 1 },
  );
  expect(granted.map(({ qos }) => qos)).toEqual([1, 1, 1, 1]);
  const socket = await rawSocket('b');
  socket.write(connectPacket('b'));
  await eventOf(socket, 'data');
  for (const topic of [
    nodeTopic(CLUSTER, 'a', 'd'),
    `skerry/${CLUSTER}/+/d`,
    '#',
    '$SYS/#',
    nodeTopic(CLUSTER, 'b', 'st'),
  ]) {
    socket.write(
      Buffer.concat([
        Buffer.from([0x82, topic.length + 5, 0, 9, 0, topic.length]),
        Buffer.from(topic),
        Buffer.from([1]),
      ]),
    );
    const [answer] = await eventOf(socket, 'data');
    expect([...(answer as Buffer)]).toEqual([0x90, 3, 0, 9, 0x80]);
  }
});

test('fix 1: a subscription looks up the head of its own topic only, made at that moment', async () => {
  const a = await connected('a');
  const incoming = eventOf(a, 'message');
  await a.subscribeAsync(nodeTopic(CLUSTER, 'a', 'head'), { qos: 1 });
  const [topic, payload, packet] = await incoming;
  expect([topic, String(payload), (packet as { retain: boolean }).retain]).toEqual([
    nodeTopic(CLUSTER, 'a', 'head'),
    'head of a',
    true,
  ]);
  await a.subscribeAsync(nodeTopic(CLUSTER, 'a', 'd'), { qos: 1 });
  expect(heads).toEqual(['a']);
});

test('fix 2: a subscriber that does not read stalls no other, and is closed', async () => {
  const frozen = await rawSocket('a');
  frozen.write(connectPacket('a'));
  await until(() => broker.isConnected('a'));
  const topic = nodeTopic(CLUSTER, 'a', 'd');
  frozen.write(
    Buffer.concat([
      Buffer.from([0x82, topic.length + 5, 0, 1, 0, topic.length]),
      Buffer.from(topic),
      Buffer.from([1]),
    ]),
  );
  await until(() => frozen.bytesRead > 0);
  await eventOf(frozen, 'data');
  frozen.pause();
  const b = await connected('b');
  await b.subscribeAsync(nodeTopic(CLUSTER, 'b', 'd'), { qos: 1 });
  let backlog = 0;
  const chunk = Buffer.alloc(90_000);
  while (broker.send('a', 'd', chunk, () => {}) && backlog < 500) {
    backlog += 1;
    if (backlog % 10 === 0) await new Promise(setImmediate);
  }
  expect(backlog).toBeGreaterThan(100 / 3);
  expect(backlog).toBeLessThan(500);
  const incoming = eventOf(b, 'message');
  broker.send('b', 'd', Buffer.from('on time'), () => {});
  const [, payload] = await incoming;
  expect(String(payload)).toBe('on time');
  await until(() => !broker.isConnected('a'), 'the end of the frozen connection');
  expect(log.lines.join()).toContain('does not read');
});

test('fix 2: a backlog below the limit is closed after the drain timeout', async () => {
  const frozen = await rawSocket('a');
  frozen.write(connectPacket('a'));
  await until(() => broker.isConnected('a'));
  const topic = nodeTopic(CLUSTER, 'a', 'd');
  frozen.write(
    Buffer.concat([
      Buffer.from([0x82, topic.length + 5, 0, 1, 0, topic.length]),
      Buffer.from(topic),
      Buffer.from([1]),
    ]),
  );
  await eventOf(frozen, 'data');
  frozen.pause();
  let waiting = 0;
  while (waiting < 5) {
    waiting += 1;
    broker.send('a', 'd', Buffer.alloc(90_000), () => {
      waiting -= 1;
    });
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  }
  expect(broker.isConnected('a')).toBe(true);
  await until(() => !broker.isConnected('a'), 'the end of the frozen connection');
  expect(waiting).toBe(0);
  expect(log.lines.join()).toContain('drain timeout');
});

test('fix 3: small packets are not held back until there are more', async () => {
  const setNoDelay = vi.spyOn(Socket.prototype, 'setNoDelay');
  await connected('a');
  const ports = (setNoDelay.mock.contexts as Socket[]).map(({ localPort }) => localPort);
  setNoDelay.mockRestore();
  expect(ports).toContain(listener.port);
});

test('fix 4: a publish of 50 MB is closed at its header', async () => {
  const a = await connected('a');
  a.publish(nodeTopic(CLUSTER, 'a', 'st'), Buffer.alloc(50_000_000), { qos: 0 });
  await eventOf(a, 'close');
  expect(messages).toEqual([]);
  expect(log.lines.join()).toContain('too large');
});

test('fix 4: before CONNECT, 4 KB are the limit, and a length without end is refused', async () => {
  for (const header of [
    [0x10, 0x81, 0x40],
    [0x10, 0xff, 0xff, 0xff, 0xff, 0xff],
  ]) {
    const socket = await rawSocket('a');
    socket.write(Buffer.from(header));
    await eventOf(socket, 'close');
  }
  expect(log.lines.filter((line) => line.includes('too large'))).toHaveLength(2);
});

test('fix 4: a message of the largest size passes, in whatever pieces it comes', async () => {
  const a = await connected('a');
  await a.publishAsync(nodeTopic(CLUSTER, 'a', 'st'), Buffer.alloc(96 * 1024), { qos: 1 });
  const socket = await rawSocket('b');
  for (const byte of connectPacket('b')) socket.write(Buffer.from([byte]));
  await eventOf(socket, 'data');
  await until(() => messages.length === 1);
});

test('fix 5: the PUBACK comes whatever becomes of the message', async () => {
  const a = await connected('a');
  messages.push = () => {
    throw new Error('not taken');
  };
  await a.publishAsync(nodeTopic(CLUSTER, 'a', 'st'), 'x', { qos: 1 });
  await until(() => log.lines.some((line) => line.includes('not taken')));
  expect(a.connected).toBe(true);
});

test('fix 6: a persistent session is refused', async () => {
  const refused = client('a', { clean: false });
  await eventOf(refused, 'close');
  expect(connections).toEqual([]);
  expect(log.lines.join()).toContain('clean sessions');
});

test('a second connection takes over, and the will of the first comes as that of the first', async () => {
  const topic = nodeTopic(CLUSTER, 'a', 'al');
  const first = await connected('a', { will: { topic, payload: Buffer.from('will 1') } });
  const closed = eventOf(first, 'close');
  await connected('a', { will: { topic, payload: Buffer.from('will 2') } });
  await closed;
  await until(() => messages.length > 0);
  expect(messages.map(({ text }) => text)).toEqual(['will 1']);
  expect(connections).toEqual(['+a', '-a', '+a']);
  expect(broker.isConnected('a')).toBe(true);
});
