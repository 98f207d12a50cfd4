import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { probeGrpc } from './grpc.ts';
import { type ProbeTarget, resolvePort } from './handler.ts';
import { httpRequest, probeHttp } from './http-get.ts';
import { probeTcp } from './tcp-socket.ts';

const closes: (() => void)[] = [];
afterEach(() => {
  for (const close of closes.splice(0)) close();
});

async function portOf(server: Server) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return (server.address() as AddressInfo).port;
}

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  const port = await portOf(server);
  closes.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return port;
}

function target(more: Partial<ProbeTarget> = {}): ProbeTarget {
  return {
    id: 'id0',
    container: { name: 'web', ports: [{ name: 'http', containerPort: 8080 }] },
    host: '127.0.0.1',
    timeoutMs: 2_000,
    signal: new AbortController().signal,
    ...more,
  };
}

describe('an HTTP probe', () => {
  it('takes 200 to 399 for success and says the status otherwise', async () => {
    const port = await serve((request, response) => {
      response.writeHead(Number(request.url?.slice(1))).end('body');
    });
    const of = async (status: number) =>
      (await probeHttp({ path: `/${status}`, port }, target())).outcome;
    expect([await of(200), await of(299), await of(304)]).toEqual([
      'success',
      'success',
      'warning',
    ]);
    expect([await of(400), await of(503)]).toEqual(['failure', 'failure']);
    expect((await probeHttp({ path: '/503', port }, target())).output).toBe(
      'HTTP probe failed with statuscode: 503',
    );
  });

  it('follows redirects on the same host only, and not for ever', async () => {
    const seen: string[] = [];
    const port = await serve((request, response) => {
      seen.push(request.url ?? '');
      const to = { '/a': '/b', '/away': 'http://192.0.2.9/', '/round': '/round' }[
        request.url ?? ''
      ];
      if (to === undefined) response.writeHead(404).end();
      else response.writeHead(302, { location: to }).end('gone');
    });
    expect(await probeHttp({ path: '/a', port }, target())).toMatchObject({ outcome: 'failure' });
    expect(seen).toEqual(['/a', '/b']);
    expect(await probeHttp({ path: '/away', port }, target())).toEqual({
      outcome: 'warning',
      output: 'Probe terminated redirects, Response body: gone',
    });
    expect((await probeHttp({ path: '/round', port }, target())).output).toMatch(
      /stopped after 10 redirects$/,
    );
  });

  it('says who asks, with the headers it was given', async () => {
    let headers: IncomingMessage['headers'] = {};
    const port = await serve((request, response) => {
      headers = request.headers;
      response.end();
    });
    const httpHeaders = [
      { name: 'Host', value: 'shop.example' },
      { name: 'X-Token', value: 't' },
    ];
    await probeHttp({ path: '/', port, httpHeaders }, target());
    expect(headers).toMatchObject({
      host: 'shop.example',
      'x-token': 't',
      'user-agent': 'kube-probe/1.33',
      accept: '*/*',
      connection: 'close',
    });
  });

  it('sends a header as often as it is given, and none that is emptied', async () => {
    let raw: string[] = [];
    const port = await serve((request, response) => {
      raw = request.rawHeaders;
      response.end();
    });
    const httpHeaders = [
      { name: 'X-Team', value: 'a' },
      { name: 'x-team', value: 'b' },
      { name: 'User-Agent', value: '' },
      { name: 'Accept', value: '' },
    ];
    await probeHttp({ path: '/', port, httpHeaders }, target());
    const sent = raw.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    expect(sent.sort()).toEqual(['connection', 'host', 'x-team', 'x-team']);
  });

  it('that is refused, or not answered in time, fails with the address', async () => {
    const silent = await serve(() => {});
    const late = await probeHttp({ path: '/', port: silent }, target({ timeoutMs: 50 }));
    expect(late.output).toBe(`Get "http://127.0.0.1:${silent}/": context deadline exceeded`);
    const closed = await closedPort();
    const refused = await probeHttp({ path: '/', port: closed }, target());
    const words = `dial tcp 127.0.0.1:${closed}: connect: connection refused`;
    expect(refused).toEqual({
      outcome: 'failure',
      output: `Get "http://127.0.0.1:${closed}/": ${words}`,
    });
  });

  it('goes to the named port, by the given host and scheme', () => {
    const action = { path: 'x?y=1', port: 'http', host: '::1', scheme: 'HTTPS' };
    expect(httpRequest(action, target(), 'a').url.href).toBe('https://[::1]:8080/x?y=1');
    expect(() => resolvePort('none', target().container)).toThrow(/couldn't find port: none/);
  });
});

describe('a TCP probe', () => {
  it('is success where something listens', async () => {
    const port = await serve(() => {});
    expect((await probeTcp({ port }, target())).outcome).toBe('success');
    const closed = await closedPort();
    expect(await probeTcp({ port: closed }, target())).toEqual({
      outcome: 'failure',
      output: `dial tcp 127.0.0.1:${closed}: connect: connection refused`,
    });
  });
});

describe('a gRPC probe', () => {
  it('is success when the service is SERVING', async () => {
    const asked: Buffer[] = [];
    const answers: { bytes: number[]; status: number }[] = [
      { bytes: [0, 0, 0, 0, 2, 8, 1], status: 0 },
      { bytes: [0, 0, 0, 0, 2, 8, 2], status: 0 },
      { bytes: [], status: 12 },
    ];
    const server = createHttp2();
    server.on('stream', (stream) => {
      stream.on('data', (chunk: Buffer) => asked.push(chunk));
      stream.on('end', () => {
        const { bytes, status } = answers.shift() ?? { bytes: [], status: 0 };
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status) }));
        stream.end(Buffer.from(bytes));
      });
    });
    const port = await portOf(server);
    closes.push(() => server.close());
    expect((await probeGrpc({ port, service: 'shop' }, target())).outcome).toBe('success');
    expect(asked[0]).toEqual(Buffer.from([0, 0, 0, 0, 6, 10, 4, ...Buffer.from('shop')]));
    expect((await probeGrpc({ port }, target())).output).toBe(
      'service unhealthy (responded with "NOT_SERVING")',
    );
    expect((await probeGrpc({ port }, target())).output).toMatch(/does not implement/);
    const refused = await probeGrpc({ port: await closedPort() }, target());
    expect(refused).toMatchObject({ outcome: 'failure' });
  });

  it('shows words that are not encoded as they should be as they came', async () => {
    const server = createHttp2();
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      const trailers = { 'grpc-status': '14', 'grpc-message': '100% busy' };
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      stream.end();
    });
    const port = await portOf(server);
    closes.push(() => server.close());
    expect((await probeGrpc({ port }, target())).output).toBe(
      'error: health rpc probe failed: 100% busy',
    );
  });
});

async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
