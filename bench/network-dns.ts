import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { encodeQuery } from '../agent/network/dns/packet.ts';

/** Queries that wait at any time, and in all. */
const OUTSTANDING = 32;
const CLIENTS = 16;
const QUERIES = 150_000;
const WARM_UP = 30_000;

/**
 * The DNS server, asked over loopback from another process: addresses of 1,000 services, a quarter of them headless with three
 * endpoints, and of names that are not there, as search paths ask for. `q/s a core` is by the processor time of the server.
 */
export async function measureDns(): Promise<Record<string, string>> {
  const child = fork(new URL('network-dns-server.ts', import.meta.url), {
    execArgv: ['--import', 'tsx', '--max-semi-space-size=1'],
  });
  try {
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    await ask(port, WARM_UP);
    const before = await usage(child);
    const start = performance.now();
    const latencies = await ask(port, QUERIES);
    const seconds = (performance.now() - start) / 1000;
    const after = await usage(child);
    latencies.sort((left, right) => left - right);
    const percentile = (share: number) =>
      `${(latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2)} ms`;
    return {
      what: 'DNS over loopback',
      'q/s': Math.round(QUERIES / seconds).toLocaleString('en'),
      'q/s a core': Math.round(QUERIES / (after.cpuSeconds - before.cpuSeconds)).toLocaleString(
        'en',
      ),
      p50: percentile(0.5),
      p99: percentile(0.99),
      resident: `${(after.rssBytes / 2 ** 20).toFixed(0)} MiB`,
    };
  } finally {
    child.kill();
  }
}

async function usage(child: ReturnType<typeof fork>) {
  child.send('usage');
  const [answer] = await once(child, 'message');
  return answer as { cpuSeconds: number; rssBytes: number };
}

/** Milliseconds that each query took. */
async function ask(port: number, queries: number): Promise<number[]> {
  const each = Math.ceil(queries / CLIENTS);
  const all = Array.from({ length: CLIENTS }, (_, client) => askFrom(client, port, each));
  return (await Promise.all(all)).flat();
}

function askFrom(client: number, port: number, queries: number): Promise<number[]> {
  const socket = createSocket('udp4');
  const messages = Array.from({ length: 256 }, (_, index) => {
    const service = (client * 64 + index) % 1000;
    const known = `web-${service}.ns-${service % 10}.svc.cluster.local`;
    return encodeQuery(0, index % 4 === 3 ? `example.org.${known}` : known, 'A', 1232);
  });
  const startedAt = new Float64Array(queries);
  const latencies: number[] = [];
  let sent = 0;
  return new Promise((resolve, reject) => {
    const next = (): void => {
      if (sent >= queries) return;
      const message = Buffer.from(messages[sent % messages.length] ?? []);
      message.writeUInt16BE(sent & 0xffff, 0);
      startedAt[sent++] = performance.now();
      socket.send(message, port, '127.0.0.1', (error) => error && reject(error));
    };
    socket.on('error', reject);
    socket.on('message', (bytes) => {
      // The latest query with that id.
      const id = bytes.readUInt16BE(0);
      const index = id + 65_536 * Math.floor((sent - 1 - id) / 65_536);
      latencies.push(performance.now() - (startedAt[index] ?? 0));
      if (latencies.length === queries) {
        socket.close();
        resolve(latencies);
      } else next();
    });
    socket.bind(0, `127.0.1.${client + 1}`, () => {
      for (let index = 0; index < OUTSTANDING / CLIENTS; index++) next();
    });
  });
}
