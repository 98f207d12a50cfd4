import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../../shared/meta/kube-object.ts';
import type { Pod } from '../../../shared/schema/kubernetes-types.ts';
import { silentLogger } from '../../../shared/silent-logger.ts';
import { runCommand } from '../../host/command.ts';
import { SystemClock } from '../../host/system-clock.ts';
import type { DesiredDocument } from '../../state/agent-state.ts';
import { formatResolver, podResolver } from '../../volumes/resolv-conf.ts';
import { ClusterDns, purgeDns } from './dns.ts';
import { Responder } from './responder.ts';
import { DnsServer } from './server.ts';
import { Zone } from './zone.ts';

// A pod's network namespace asks this node's DNS server with the resolvers of glibc and busybox. Addresses, links and names are the
// test's own; nothing leaves the machine.

const AGENT = `dns-e2e-${process.pid}`;
const NETNS = `skdns${process.pid}`;
const LINK = `skd${process.pid}`.slice(0, 15);
const POD_ADDRESS = '10.199.42.2';
const DNS_ADDRESS = '10.199.43.10';
const UPSTREAM_ADDRESS = '127.77.53.1';
const MAC = 'ee:ee:ee:ee:ee:ee';
const documents = new Map<string, DesiredDocument>();
const listeners = new Set<(keys: readonly string[]) => void>();
const clock = new SystemClock();
let folder: string;
let dns: ClusterDns;
let upstream: DnsServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skerry-dns-'));
  await writeFile(join(folder, 'resolv.conf'), `nameserver ${UPSTREAM_ADDRESS}\n`);
  upstream = await otherServer();
  save('cluster//network', {
    clusterCidr: '10.199.42.0/24',
    serviceCidr: '10.199.43.0/24',
    dnsAddress: DNS_ADDRESS,
    clusterDomain: 'cluster.local',
  });
  saveService('web', { clusterIP: '10.199.43.7', ports: [{ name: 'http', port: 80 }] });
  saveService('db', { clusterIP: 'None' });
  saveService('out', { type: 'ExternalName', externalName: 'away.other.svc.example.org' });
  save('endpointslices/shop/db-x', {
    metadata: { name: 'db-x', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'db' } },
    addressType: 'IPv4',
    endpoints: [
      { addresses: ['10.199.42.3'], conditions: { ready: true }, hostname: 'db-0' },
      { addresses: ['10.199.42.4'], conditions: { ready: true }, hostname: 'db-1' },
    ],
    ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
  });
  dns = await startDns();
  await connectPod();
});

afterAll(async () => {
  await dns?.stop();
  await upstream?.stop();
  await purgeDns(AGENT);
  await runCommand('ip', ['netns', 'delete', NETNS], { allowFailure: true });
  await rm(`/etc/netns/${NETNS}`, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

test('a pod resolves a service by its short name, with the C library', async () => {
  expect(await inPod('getent', 'ahostsv4', 'web')).toMatch(/^10\.199\.43\.7 +STREAM/);
  expect(await inPod('getent', 'ahostsv4', 'web.shop.svc')).toMatch(/^10\.199\.43\.7 +STREAM/);
});

test('a pod resolves headless services, their endpoints and addresses', async () => {
  const all = await inPod('getent', 'ahostsv4', 'db');
  for (const address of ['10.199.42.3', '10.199.42.4']) expect(all).toContain(address);
  expect(await inPod('getent', 'ahostsv4', 'db-1.db')).toContain('10.199.42.4');
  expect(await inPod('getent', 'hosts', '10.199.42.3')).toContain('db-0.db.shop.svc.cluster.local');
  expect(await inPod('getent', 'hosts', '10.199.43.7')).toContain('web.shop.svc.cluster.local');
});

test('a pod follows an external name out of the cluster', async () => {
  expect(await inPod('getent', 'ahostsv4', 'out')).toContain('203.0.113.9');
  expect(await inPod('getent', 'ahostsv4', 'away.other.svc.example.org')).toContain('203.0.113.9');
});

test('the resolver of busybox gets the same, SRV too', async () => {
  expect(await inPod('busybox', 'nslookup', 'web.shop.svc.cluster.local')).toContain('10.199.43.7');
  const srv = await inPod(
    ...['busybox', 'nslookup', '-type=srv', '_sql._tcp.db.shop.svc.cluster.local'],
  );
  expect(srv).toContain('0 50 5432 db-0.db.shop.svc.cluster.local');
});

test('names that are not there are no names', async () => {
  const asked = await runCommand('ip', ['netns', 'exec', NETNS, 'getent', 'ahostsv4', 'nothing'], {
    allowFailure: true,
  });
  expect(asked.exitCode).toBe(2);
});

test('the host resolves at the same address', async () => {
  const asked = await runCommand('busybox', [
    'nslookup',
    'web.shop.svc.cluster.local',
    DNS_ADDRESS,
  ]);
  expect(asked.stdout).toContain('10.199.43.7');
});

test('changes of the saved state are answered at once', async () => {
  saveService('late', { clusterIP: '10.199.43.9' });
  expect(await inPod('getent', 'ahostsv4', 'late')).toContain('10.199.43.9');
});

test('without the name servers of the node names of the cluster and remembered ones go on', async () => {
  await upstream.stop();
  expect(await inPod('getent', 'ahostsv4', 'web')).toContain('10.199.43.7');
  expect(await inPod('getent', 'ahostsv4', 'out')).toContain('203.0.113.9');
  const startMs = performance.now();
  await runCommand('ip', ['netns', 'exec', NETNS, 'getent', 'ahostsv4', 'never.example.org'], {
    allowFailure: true,
  });
  expect(performance.now() - startMs).toBeLessThan(2000);
});

test('an address that somebody took away comes back', async () => {
  await runCommand('ip', ['addr', 'del', `${DNS_ADDRESS}/32`, 'dev', 'lo']);
  dns.resync();
  await expect.poll(loopback).toContain(DNS_ADDRESS);
  expect(await inPod('getent', 'ahostsv4', 'web')).toContain('10.199.43.7');
});

test('the next agent goes on at the same address, and a purge takes only that away', async () => {
  await dns.stop();
  expect(await loopback()).toContain(DNS_ADDRESS);
  dns = await startDns();
  expect(await inPod('getent', 'ahostsv4', 'web')).toContain('10.199.43.7');
  await dns.stop();
  await purgeDns('another-agent');
  expect(await loopback()).toContain(DNS_ADDRESS);
  await purgeDns(AGENT);
  expect(await loopback()).not.toContain(DNS_ADDRESS);
});

/** Answers when it serves, which begins in the background. */
async function startDns(): Promise<ClusterDns> {
  let serving = (): void => {};
  const served = new Promise<void>((resolve) => {
    serving = resolve;
  });
  const started = new ClusterDns({
    agentId: AGENT,
    nodeName: 'a',
    state: {
      get: (key) => documents.get(key),
      list: (prefix) => [...documents.values()].filter(({ key }) => key.startsWith(prefix)),
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    clock,
    random: Math.random,
    log: {
      ...silentLogger,
      info: (message) => {
        if (message === 'serving names') serving();
      },
    },
    resolverFile: join(folder, 'resolv.conf'),
  });
  started.start();
  await served;
  return started;
}

/** A name server that knows example.org. */
async function otherServer(): Promise<DnsServer> {
  const zone = new Zone({ domain: 'example.org', address: UPSTREAM_ADDRESS, cidrs: [] });
  zone.putService({
    metadata: { name: 'away', namespace: 'other' },
    spec: { clusterIP: '203.0.113.9' },
  });
  const server = new DnsServer({
    responder: new Responder({
      zone: () => zone,
      upstreams: { resolve: async () => undefined },
      random: Math.random,
    }),
    address: UPSTREAM_ADDRESS,
    port: 53,
    clock,
    log: silentLogger,
  });
  await server.start();
  return server;
}

async function connectPod(): Promise<void> {
  const pod = { metadata: { name: 'p', namespace: 'shop' }, spec: {} } as Pod;
  const node = { nameservers: [], searches: [], options: [] };
  const cluster = { address: DNS_ADDRESS, domain: 'cluster.local' };
  await mkdir(`/etc/netns/${NETNS}`, { recursive: true });
  await writeFile(
    `/etc/netns/${NETNS}/resolv.conf`,
    formatResolver(podResolver(pod, node, cluster)),
  );
  await runCommand('ip', ['netns', 'add', NETNS]);
  await runCommand('ip', ['-batch', '-'], {
    input: `link add ${LINK} address ${MAC} type veth peer name eth0 netns ${NETNS}
link set ${LINK} up
route add ${POD_ADDRESS}/32 dev ${LINK} scope link
`,
  });
  await runCommand('ip', ['-n', NETNS, '-batch', '-'], {
    input: `link set lo up
addr add ${POD_ADDRESS}/32 dev eth0
link set eth0 up
neigh add 169.254.1.1 lladdr ${MAC} dev eth0 nud permanent
route add 169.254.1.1 dev eth0 scope link
route add default via 169.254.1.1 dev eth0
`,
  });
}

async function inPod(...command: string[]): Promise<string> {
  const asked = await runCommand('ip', ['netns', 'exec', NETNS, ...command], {
    allowFailure: true,
    timeoutMs: 30_000,
  });
  return asked.stdout + asked.stderr;
}

async function loopback(): Promise<string> {
  return (await runCommand('ip', ['-o', 'addr', 'show', 'dev', 'lo'])).stdout;
}

function saveService(name: string, spec: JsonObject): void {
  save(`services/shop/${name}`, { metadata: { name, namespace: 'shop', uid: name }, spec });
}

function save(key: string, object: JsonObject): void {
  documents.set(key, { key, version: '', object });
  for (const listener of listeners) listener([key]);
}
