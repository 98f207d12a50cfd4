import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { ApiServer } from '../master/api/server.ts';
import { MemoryStore } from '../master/store/memory-store.ts';
import { Registry } from '../master/store/registry.ts';
import { SystemClock } from '../master/system-clock.ts';
import type { KubeObject } from '../shared/meta/kube-object.ts';
import { CATALOG } from '../shared/resources/catalog.ts';
import { silentLogger } from '../shared/silent-logger.ts';

// Run with: node --expose-gc --import tsx bench/api-list.bench.ts
// Budget: a list of 10,000 pods in 50 ms, the event loop never blocked for longer.

const PODS = 10_000;
const ROUNDS = 5;

const store = new MemoryStore();
await store.open();
for (let index = 0; index < PODS; index += 1) await put(index);
const clock = new SystemClock();
const registry = new Registry({ store, clock, kinds: CATALOG, newUid: randomUUID });
await registry.open();
const api = new ApiServer({
  registry,
  kinds: CATALOG,
  clock,
  logger: silentLogger,
  version: '0.1.0',
  caPem: '',
  nodeStreams: { logs: () => never() },
  enrolment: { enrol: () => never(), hasSigned: () => false, renew: () => never() },
  healthChecks: [],
  openApi: { get: () => Promise.resolve(undefined) },
});
const server = createServer((req, res) => {
  const subject = { CN: 'bench', O: 'system:masters' };
  Object.assign(req.socket, { authorized: true, getPeerCertificate: () => ({ subject }) });
  api.handle(req, res);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const rows = [
  await measure('first list: every object is serialised', '/api/v1/pods', {}, 1),
  await measure('list', '/api/v1/pods', {}),
  await measure('list, gzip', '/api/v1/pods', { 'Accept-Encoding': 'gzip' }),
  await measure('Table', '/api/v1/pods', { Accept: TABLE }),
  await measure('Table without objects', '/api/v1/pods?includeObject=None', { Accept: TABLE }),
  await measure('label selector, half of them', '/api/v1/pods?labelSelector=half%3Da', {}),
  await measure('one page of 500', '/api/v1/pods?limit=500', {}),
];
server.close();
server.closeAllConnections();

console.table(rows);

/** The client runs in a thread of its own, so that only the server's work is in this loop. */
async function measure(
  what: string,
  path: string,
  headers: Record<string, string>,
  rounds = ROUNDS,
): Promise<Record<string, string>> {
  globalThis.gc?.();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
    const { request } = require('node:http');
    const { performance } = require('node:perf_hooks');
    const { port, path, headers, rounds } = workerData;
    (async () => {
      let best = Infinity, bytes = 0;
      for (let round = 0; round < rounds; round += 1) {
        const start = performance.now();
        bytes = await new Promise((resolve, reject) => {
          request({ port, path, headers }, (res) => {
            let size = 0;
            res.on('data', (chunk) => { size += chunk.length; });
            res.on('end', () => resolve(size));
          }).on('error', reject).end();
        });
        best = Math.min(best, performance.now() - start);
      }
      parentPort.postMessage({ best, bytes });
    })();`,
    { eval: true, workerData: { port, path, headers, rounds } },
  );
  const { best, bytes } = await new Promise<{ best: number; bytes: number }>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  delay.disable();
  await worker.terminate();
  return {
    what,
    'best of rounds': `${best.toFixed(1)} ms`,
    'longest block': `${(delay.max / 1e6).toFixed(1)} ms`,
    size: `${(bytes / 2 ** 20).toFixed(1)} MiB`,
  };
}

async function put(index: number): Promise<void> {
  const name = `pod-${String(index).padStart(5, '0')}`;
  const key = `/registry//pods/default/${name}`;
  const value = (revision: number) => Buffer.from(JSON.stringify(pod(name, index, revision)));
  await store.txn([], [{ kind: 'put', key, value }]);
}

/** 3.6 KB, as a small Deployment's pod has. */
function pod(name: string, index: number, revision: number): KubeObject {
  const containers = ['app', 'proxy'].map((container) => ({
    name: container,
    image: `registry.example/team/${container}:1.2.3`,
    env: Array.from({ length: 12 }, (_, at) => ({ name: `SETTING_${at}`, value: `value-${at}` })),
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
  }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: randomUUID(),
      resourceVersion: String(revision),
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: 'web', half: index % 2 === 0 ? 'a' : 'b' },
      annotations: { note: 'x'.repeat(700) },
    },
    spec: { containers, restartPolicy: 'Always', nodeName: `node-${index % 100}` },
    status: {
      phase: 'Running',
      podIP: '10.42.0.7',
      hostIP: '192.0.2.1',
      startTime: '2026-01-01T00:00:00Z',
      conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      })),
      containerStatuses: containers.map(({ name: container, image }) => ({
        name: container,
        image,
        imageID: `sha256:${'0'.repeat(64)}`,
        containerID: `podman://${'1'.repeat(64)}`,
        ready: true,
        restartCount: 0,
        started: true,
        state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
      })),
    },
  } as KubeObject;
}

function never(): never {
  throw new Error('not part of this measurement');
}
