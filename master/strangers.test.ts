import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type Certificate, TestAuthority, TestLogger } from './fleet/fleet-fixture.ts';
import { Listener, type ListenerOptions } from './listener.ts';

const LIMIT = 8;

let authority: TestAuthority;
let serving: Certificate;
let admin: Certificate;
let node: Certificate;
let listener: Listener;
let clients: Socket[];
/** Ends the answer of each request that was made to /slow. */
let answers: (() => void)[];
let mqtt: number;

beforeAll(async () => {
  authority = await TestAuthority.create();
  serving = await authority.server();
  admin = await authority.client('admin', 'system:masters');
  node = await authority.node('a');
});

beforeEach(async () => {
  clients = [];
  answers = [];
  mqtt = 0;
  await listen({ maxStrangers: LIMIT, maxHandshakes: LIMIT });
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  await listener.stop();
});

async function listen(options: Partial<ListenerOptions>): Promise<void> {
  listener = new Listener({
    host: '127.0.0.1',
    port: 0,
    certificate: serving,
    clientCa: authority.ca,
    onRequest: (request, response) => {
      const answer = () => response.end('answered');
      request.resume();
      if (request.url === '/slow') answers.push(answer);
      else answer();
    },
    onMqtt: () => {
      mqtt += 1;
    },
    log: new TestLogger(),
    ...options,
  });
  await listener.start();
}

/** Over TLS; resolves when the handshake is done, and the server has room for what came before. */
async function speaking(text: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port: listener.port, ca: authority.ca, ...options });
  keep(socket);
  await once(socket, 'secureConnect');
  if (text !== '') socket.write(text);
  return socket;
}

function keep(socket: Socket): void {
  socket.on('error', () => {});
  clients.push(socket);
}

/** What the client has read. */
function heard(socket: Socket): () => string {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  return () => text;
}

function request(path: string, length = 0): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
}

const open = (sockets: readonly Socket[]) => sockets.map(({ destroyed }) => !destroyed);

test('of silent connections the oldest are ended', async () => {
  const silent: Socket[] = [];
  for (let n = 0; n < LIMIT + 4; n += 1) silent.push(await speaking(''));
  for (const socket of silent) socket.resume();
  const wanted = silent.map((_, index) => index >= 4);
  await vi.waitFor(() => expect(open(silent)).toEqual(wanted));
});

test('of connections without a handshake the oldest are ended, and neither counts for the other', async () => {
  const tls = await speaking('');
  const silent: Socket[] = [];
  for (let n = 0; n < LIMIT + 4; n += 1) {
    const socket = connectTcp({ host: '127.0.0.1', port: listener.port });
    keep(socket);
    await once(socket, 'connect');
    silent.push(socket);
  }
  for (const socket of [tls, ...silent]) socket.resume();
  const wanted = silent.map((_, index) => index >= 4);
  await vi.waitFor(() => expect(open(silent)).toEqual(wanted));
  expect(tls.destroyed).toBe(false);
});

test('who has shown a certificate stays, whatever comes: administrators and devices', async () => {
  const known = [
    await speaking('', admin),
    await speaking(request('/'), admin),
    await speaking('', { ...node, ALPNProtocols: ['mqtt'] }),
  ];
  for (const socket of known) socket.resume();
  for (let n = 0; n < 3 * LIMIT; n += 1) await speaking('');
  expect(open(known)).toEqual([true, true, true]);
  expect(mqtt).toBe(1);
});

test('who waits for an answer gets it, and is one of the silent ones again', async () => {
  const waiting = await speaking(`${request('/slow', 4)}body`);
  const answer = heard(waiting);
  await vi.waitFor(() => expect(answers).toHaveLength(1));
  for (let n = 0; n < 2 * LIMIT; n += 1) await speaking('');
  answers[0]?.();
  await vi.waitFor(() => expect(answer()).toContain('answered'));
  expect(waiting.destroyed).toBe(false);
  for (let n = 0; n < 2 * LIMIT; n += 1) await speaking('');
  await vi.waitFor(() => expect(waiting.destroyed).toBe(true));
});

test('half a request is silence, and so is a broker’s connection without a certificate', async () => {
  const half = await speaking(`${request('/slow', 4)}bo`);
  const broker = await speaking('', { ALPNProtocols: ['mqtt'] });
  await vi.waitFor(() => expect([answers.length, mqtt]).toEqual([1, 1]));
  for (let n = 0; n < 2 * LIMIT; n += 1) await speaking('');
  for (const socket of [half, broker]) socket.resume();
  await vi.waitFor(() => expect(open([half, broker])).toEqual([false, false]));
});

test('a fleet that comes at once gets in past more connections than are kept', async () => {
  await listener.stop();
  await listen({ maxStrangers: 20, maxHandshakes: 60 });
  await Promise.all(Array.from({ length: 60 }, () => speaking('')));
  const secured = { ...node, ALPNProtocols: ['mqtt'] };
  await Promise.all(Array.from({ length: 60 }, () => speaking('', secured)));
  await vi.waitFor(() => expect(mqtt).toBe(60));
});
