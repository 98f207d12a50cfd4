import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Certificate, TestAuthority, TestLogger } from './fleet/fleet-fixture.ts';
import { ListenError, Listener, type ListenerOptions } from './listener.ts';

let authority: TestAuthority;
let serving: Certificate;
let admin: Certificate;
let nodeCertificate: Certificate;
let listener: Listener;
let mqtt: (string | undefined)[];
let options: ListenerOptions;

beforeAll(async () => {
  authority = await TestAuthority.create();
  serving = await authority.server();
  admin = await authority.client('admin', 'system:masters');
  nodeCertificate = await authority.node('a');
});

beforeEach(async () => {
  mqtt = [];
  options = {
    host: '127.0.0.1',
    port: 0,
    certificate: serving,
    clientCa: authority.ca,
    onRequest: (incoming, response) => {
      const socket = incoming.socket as TLSSocket;
      const name = socket.authorized ? socket.getPeerCertificate().subject.CN : 'nobody';
      response.end(`${incoming.method} ${incoming.url} by ${name}`);
    },
    onMqtt: (connection, peer) => {
      mqtt.push(peer?.node);
      connection.destroy();
    },
    log: new TestLogger(),
  };
  listener = new Listener(options);
  await listener.start();
});

afterEach(() => listener.stop());

function get(
  path: string,
  certificate: Partial<Certificate> = {},
  headers: Record<string, string> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: listener.port,
        path,
        ca: authority.ca,
        agent: false,
        headers,
        ...certificate,
      },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

test('HTTPS is answered, with and without a client certificate', async () => {
  expect(await get('/healthz')).toBe('GET /healthz by nobody');
  expect(await get('/api', admin)).toBe('GET /api by admin');
});

test('a connection is kept for further requests', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: authority.ca });
  const ports = new Set<number | undefined>();
  for (let i = 0; i < 3; i++) {
    const sent = request({ host: '127.0.0.1', port: listener.port, path: '/', agent }).end();
    const [response] = await once(sent, 'response');
    ports.add(response.socket.localPort);
    response.resume();
    await once(response, 'end');
  }
  expect(ports.size).toBe(1);
  agent.destroy();
});

test('ALPN mqtt goes to the broker with the name of the node', async () => {
  for (const certificate of [nodeCertificate, admin, {}]) {
    const socket = connect({
      port: listener.port,
      host: '127.0.0.1',
      ca: authority.ca,
      ALPNProtocols: ['mqtt'],
      ...certificate,
    });
    socket.on('error', () => {});
    await once(socket, 'close');
  }
  expect(mqtt).toEqual(['a', undefined, undefined]);
});

test('an upgrade of any other path is answered as a request', async () => {
  const headers = { Connection: 'Upgrade', Upgrade: 'websocket' };
  expect(await get('/other', admin, headers)).toBe('GET /other by admin');
});

test('a new certificate is shown to new connections', async () => {
  const fingerprint = async () => {
    const socket = connect({ port: listener.port, host: '127.0.0.1', ca: authority.ca });
    await once(socket, 'secureConnect');
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const before = await fingerprint();
  listener.setCertificate(await authority.server());
  expect(await fingerprint()).not.toBe(before);
  expect(await get('/')).toBe('GET / by nobody');
});

test('a port in use is one sentence', async () => {
  const second = new Listener({ ...options, port: listener.port });
  const failure = await second.start().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ListenError);
  expect((failure as Error).message).toBe(
    `127.0.0.1:${listener.port} is in use by another process; stop that one, or choose another address with --listen`,
  );
});

test('an address that is not of this machine is one sentence', async () => {
  const second = new Listener({ ...options, host: '192.0.2.1' });
  await expect(second.start()).rejects.toThrow('192.0.2.1 is no address of this machine');
});

test('stopping ends the connections that are open', async () => {
  const socket = connect({ port: listener.port, host: '127.0.0.1', ca: authority.ca });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  const closed = once(socket, 'close');
  await listener.stop();
  await closed;
  await expect(get('/')).rejects.toThrow('ECONNREFUSED');
});

test('a request that does not arrive is not waited for, and one that has is', async () => {
  await listener.stop();
  const onRequest: ListenerOptions['onRequest'] = (incoming, response) => {
    incoming.resume();
    // Answered only after the limit: it is for the request alone.
    incoming.once('end', () => setTimeout(() => response.end('late'), 150));
  };
  listener = new Listener({ ...options, onRequest, requestTimeoutMs: 100 });
  await listener.start();
  const speak = async (text: string) => {
    const socket = connect({ host: '127.0.0.1', port: listener.port, ca: authority.ca });
    await once(socket, 'secureConnect');
    socket.write(text);
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk;
    });
    socket.on('error', () => {});
    await once(socket, 'close');
    return heard;
  };
  expect(await speak('')).toBe('');
  expect(await speak('GET / HTTP/1.1\r\nHost')).toBe('');
  expect(await speak('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf')).toBe('');
  expect(await speak('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toContain('late');
});
