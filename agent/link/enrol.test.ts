import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { silentLogger } from '../../shared/silent-logger.ts';
import { Membership } from './enrol.ts';
import { Identity } from './identity.ts';
import { sha256Hex } from './node-crypto.ts';

/** Every pause is over at once. */
const clock: Clock = {
  nowMs: Date.now,
  monotonicMs: () => 0,
  after: (_delayMs, callback) => {
    const pending = setImmediate(callback);
    return () => clearImmediate(pending);
  },
};

const root = mkdtempSync(join(tmpdir(), 'skerry-enrol-'));
/** The bodies of the enrolments, as they came. */
const requests: string[] = [];
let lostAnswers = 0;
let ca: string;
let caKey: string;
let server: Server;
let url: string;

beforeAll(async () => {
  const key = join(root, 'ca.key');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  writeFileSync(key, pem);
  caKey = pem;
  const certificate = join(root, 'ca.crt');
  const names = ['-subj', '/CN=master', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', '-new', '-key', key, ...names, '-out', certificate]);
  ca = readFileSync(certificate, 'utf8');
  server = createServer({ key: pem, cert: ca }, async (request, response) => {
    if (request.url === '/skerry/v1/ca') return response.end(ca);
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push(body);
    if (lostAnswers-- > 0) return request.socket.destroy();
    const { nodeName } = JSON.parse(body) as { nodeName: string };
    const answer = { nodeName, clusterId: 'c', certificate: ca, ca, masterSigningKey: '' };
    return response.end(JSON.stringify({ ...answer, lifetimeSeconds: 60, broker: '' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(root, { recursive: true });
});

test('a join whose answers are lost sends the same bytes again, so that its token is not used up', async () => {
  const identity = new Identity(join(root, 'agent'));
  await identity.open();
  const membership = new Membership({ identity, clock, random: () => 0, logger: silentLogger });
  const token = `abcdef.${'0'.repeat(16)}.${sha256Hex(new X509Certificate(ca).raw)}`;
  const request = { server: url, token: async () => token, nodeName: 'pi-1', keepsTrying: false };
  const { signal } = new AbortController();
  lostAnswers = 2;
  await membership.join(request, signal);
  expect(requests).toHaveLength(3);
  expect(new Set(requests).size).toBe(1);

  await membership.rejoin(request, true, signal);
  expect(requests).toHaveLength(4);
  expect(requests[3]).not.toBe(requests[0]);
});

test('an agent that is restarted before the answer comes asks with the same bytes', async () => {
  const folder = join(root, 'restarted');
  const token = `abcdef.${'0'.repeat(16)}.${sha256Hex(new X509Certificate(ca).raw)}`;
  const request = { server: url, token: async () => token, nodeName: 'pi-2', keepsTrying: false };
  const sent: unknown[] = [];
  for (const answersLost of [1, 0]) {
    const identity = new Identity(folder);
    await identity.open();
    const stopping = new AbortController();
    const stopsAtPause: Clock = {
      ...clock,
      after: () => {
        setImmediate(() => stopping.abort());
        return () => {};
      },
    };
    const parts = { identity, clock: stopsAtPause, random: () => 0, logger: silentLogger };
    lostAnswers = answersLost;
    const joined = await new Membership(parts).join(request, stopping.signal);
    expect(joined?.nodeName).toBe(answersLost === 0 ? 'pi-2' : undefined);
    sent.push(requests.at(-1));
  }
  expect(sent[0]).toBe(sent[1]);
});

test('the words of a server that nobody trusts yet are logged on one line, and not endlessly', async () => {
  const text = `sorry\n<3>MAINPID=1\u001b[2J${'x'.repeat(100_000)}`;
  const stranger = createServer({ key: caKey, cert: ca }, (_request, response) => {
    response.statusCode = 403;
    response.end(JSON.stringify({ kind: 'Status', message: text }));
  });
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  const folder = mkdtempSync(join(root, 'device-'));
  const identity = new Identity(folder);
  await identity.open();
  const membership = new Membership({ identity, clock, random: () => 0, logger: silentLogger });
  const { port } = stranger.address() as AddressInfo;
  const token = async () => `abcdef.0123456789abcdef.${sha256Hex(new X509Certificate(ca).raw)}`;
  const request = { server: `https://127.0.0.1:${port}`, token, nodeName: 'a', keepsTrying: false };
  const refusal = membership.join(request, new AbortController().signal);
  await expect(refusal).rejects.toThrow(
    /^the master refuses this device: sorry <3>MAINPID=1 \[2Jx{950,1000}\.\.\.$/,
  );
  stranger.close();
});
