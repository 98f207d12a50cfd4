import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Logger } from '../../../shared/logger.ts';
import { ManualClock } from '../../../shared/reconcile/manual-clock.ts';
import { silentLogger } from '../../../shared/silent-logger.ts';
import { exchangeDatagrams, exchangeOverStream } from '../../host/exchange.ts';
import { FLOOD_LIMITS } from './flood-guard.ts';
import { Forwarder } from './forwarder.ts';
import { MessageSplitter, withLength } from './length-prefix.ts';
import { decodeMessage, encodeQuery } from './packet.ts';
import { Responder, type Upstreams } from './responder.ts';
import { DnsServer, type DnsServerParts } from './server.ts';
import { Zone } from './zone.ts';

const NAME = 'web.shop.svc.cluster.local';
const MANY = 'many.shop.svc.cluster.local';

const ends: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

describe('over UDP', () => {
  test('a service answers with its cluster IP', async () => {
    const { port } = await serve();
    expect(await askUdp(port, encodeQuery(7, NAME, 'A'))).toMatchObject({
      id: 7,
      rcode: 'NOERROR',
      flag_aa: true,
      answers: [{ name: NAME, type: 'A', ttl: 5, data: '10.43.0.7' }],
    });
  });

  test('what is no query gets no answer, and the server goes on', async () => {
    const { port } = await serve();
    const socket = createSocket('udp4');
    const heard: Buffer[] = [];
    socket.on('message', (bytes) => heard.push(bytes));
    const response = encodeQuery(1, NAME, 'A');
    response.writeUInt8(0x80, 2);
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(5), response, Buffer.alloc(60_000, 0xff)]) {
      socket.send(bytes, port, '127.0.0.1');
    }
    socket.send(encodeQuery(2, NAME, 'A'), port, '127.0.0.1');
    await once(socket, 'message');
    expect(heard.map((bytes) => bytes.readUInt16BE(0))).toEqual([2]);
    socket.close();
  });

  test('one client that floods is not heard, the others are', async () => {
    const limits = { ...FLOOD_LIMITS, queriesPerSecond: 10, burst: 5 };
    const clock = new ManualClock();
    const { port } = await serve({ limits, clock });
    const socket = createSocket('udp4');
    let heard = 0;
    socket.on('message', () => heard++);
    for (let id = 0; id < 50; id++) socket.send(encodeQuery(id, NAME, 'A'), port, '127.0.0.1');
    await askUdp(port, encodeQuery(99, NAME, 'A'), '127.0.0.9');
    expect(heard).toBe(5);
    clock.advance(1000);
    await askUdp(port, encodeQuery(99, NAME, 'A'));
    socket.close();
  });
});

describe('over TCP', () => {
  test('what is too long for UDP is whole', async () => {
    const { port } = await serve();
    const query = encodeQuery(3, MANY, 'A');
    expect(await askUdp(port, query)).toMatchObject({ flag_tc: true });
    const [answer] = await askTcp(port, [query]);
    expect(answer).toMatchObject({ id: 3, flag_tc: false });
    expect(answer?.answers).toHaveLength(200);
  });

  test('several queries on one connection are answered, however they are cut into pieces', async () => {
    const { port } = await serve();
    const queries = [1, 2, 3].map((id) => encodeQuery(id, NAME, 'A'));
    const answers = await askTcp(port, queries, 7);
    expect(answers.map(({ id }) => id).sort()).toEqual([1, 2, 3]);
  });

  test('a client has so many connections at most', async () => {
    const { port } = await serve({ limits: { ...FLOOD_LIMITS, connections: 1 } });
    const first = connect(port, '127.0.0.1');
    await once(first, 'connect');
    const second = connect(port, '127.0.0.1');
    await once(second, 'close');
    first.destroy();
    await once(first, 'close');
  });

  test('a server that stops cuts its connections', async () => {
    const { port, server } = await serve();
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(withLength(encodeQuery(1, NAME, 'A')));
    await once(socket, 'data');
    await Promise.all([once(socket, 'close'), server.stop()]);
  });
});

describe('names of others, over real sockets', () => {
  test('come from the name server, by TCP when they are long', async () => {
    const upstream = await serve({ zoneDomain: 'example.org' });
    const forwarder = forwarderTo(upstream.port);
    const { port } = await serve({ upstreams: forwarder });
    expect(await askUdp(port, encodeQuery(5, 'web.shop.svc.example.org', 'A'))).toMatchObject({
      id: 5,
      flag_aa: false,
      answers: [{ data: '10.43.0.7' }],
    });
    const [long] = await askTcp(port, [encodeQuery(6, 'many.shop.svc.example.org', 'A')]);
    expect(long?.answers).toHaveLength(200);
  });

  test('fail at once when nobody is there', async () => {
    const gone = createSocket('udp4').bind(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port: nobody } = gone.address();
    gone.close();
    const { port } = await serve({ upstreams: forwarderTo(nobody) });
    expect(await askUdp(port, encodeQuery(5, 'example.org', 'A'))).toMatchObject({
      id: 5,
      rcode: 'SERVFAIL',
    });
  });

  test('are not asked of a server that asks us', async () => {
    const warned: string[] = [];
    const log = { ...silentLogger, warn: (message: string) => warned.push(message) };
    const forwarder = forwarderTo(undefined, log);
    const { port } = await serve({ upstreams: forwarder });
    const probed = new Promise<void>((resolve) => {
      log.warn = () => {
        resolve();
        return 0;
      };
    });
    forwarder.setServers([{ address: '127.0.0.1', port }]);
    await probed;
    expect(forwarder.servers).toEqual([]);
  });
});

async function serve({
  zoneDomain = 'cluster.local',
  upstreams = { resolve: async () => undefined },
  ...more
}: Partial<DnsServerParts> & { zoneDomain?: string; upstreams?: Upstreams } = {}) {
  const zone = new Zone({ domain: zoneDomain, address: '10.43.0.10', cidrs: [] });
  zone.putService({
    metadata: { name: 'web', namespace: 'shop' },
    spec: { clusterIP: '10.43.0.7' },
  });
  zone.putService({ metadata: { name: 'many', namespace: 'shop' }, spec: { clusterIP: 'None' } });
  zone.putSlice({
    metadata: { name: 'm', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'many' } },
    endpoints: Array.from({ length: 200 }, (_, index) => ({ addresses: [`10.42.0.${index + 2}`] })),
  });
  const server = new DnsServer({
    responder: new Responder({ zone: () => zone, upstreams, random: Math.random }),
    address: '127.0.0.1',
    port: 0,
    clock: new ManualClock(),
    log: silentLogger,
    ...more,
  });
  await server.start();
  ends.push(() => server.stop());
  return { server, port: server.port };
}

function forwarderTo(port: number | undefined, log: Logger = silentLogger): Forwarder {
  let id = 0;
  const forwarder = new Forwarder({
    clock: new ManualClock(),
    randomId: () => id++ & 0xffff,
    datagrams: exchangeDatagrams,
    streams: exchangeOverStream,
    log,
  });
  if (port !== undefined) forwarder.setServers([{ address: '127.0.0.1', port }]);
  return forwarder;
}

async function askUdp(port: number, query: Buffer, from = '127.0.0.1') {
  const socket = createSocket('udp4').bind(0, from);
  await once(socket, 'listening');
  socket.send(query, port, '127.0.0.1');
  const [bytes] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return decodeMessage(bytes);
}

/** `piece`: how many bytes are written at a time. */
async function askTcp(port: number, queries: Buffer[], piece = 65_535) {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  const bytes = Buffer.concat(queries.map((query) => withLength(query)));
  for (let offset = 0; offset < bytes.length; offset += piece) {
    socket.write(bytes.subarray(offset, offset + piece));
  }
  const splitter = new MessageSplitter();
  const answers: Buffer[] = [];
  for await (const chunk of socket) {
    answers.push(...splitter.push(chunk as Buffer));
    if (answers.length === queries.length) break;
  }
  socket.destroy();
  return answers.map((answer) => decodeMessage(answer));
}
