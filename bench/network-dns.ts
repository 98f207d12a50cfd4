import { type ChildProcess, fork } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { encodeQuery } from '../agent/network/dns/packet.ts';

/** Queries that wait at any time when as many are asked as are answered. */
const OUTSTANDING = 32;
const CLIENTS = 16;
const QUERIES = 150_000;
const WARM_UP = 60_000;
/** What the budget asks for. */
const OFFERED_PER_SECOND = 50_000;

/**
 * The DNS server, asked over loopback from another process: addresses of 1,000 services, a quarter of them headless with three
 * endpoints, and of names that are not there, as search paths ask for. First so many queries a second as the budget says, whatever is
 * answered: a query's time begins when it was due, so a server (or a generator) that falls behind is seen. Then as many as are
 * answered. `q/s a core` is by the processor time of the server.
 */
export async function measureDns(): Promise<Record<string, string>[]> {
  const child = fork(new URL('network-dns-server.ts', import.meta.url), {
    execArgv: ['--import', 'tsx', '--max-semi-space-size=1'],
  });
  try {
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    await ask(port, WARM_UP, undefined);
    return [
      await measured(child, port, OFFERED_PER_SECOND),
      await measured(child, port, undefined),
    ];
  } finally {
    child.kill();
  }
}

async function measured(
  child: ChildProcess,
  port: number,
  perSecond: number | undefined,
): Promise<Record<string, string>> {
  const before = await usage(child);
  const start = performance.now();
  const { latencies, lagMs } = await ask(port, QUERIES, perSecond);
  const seconds = (performance.now() - start) / 1000;
  const after = await usage(child);
  const count = (value: number) => Math.round(value).toLocaleString('en');
  return {
    'DNS over loopback': perSecond === undefined ? 'as many as are answered' : 'offered',
    'q/s': count(latencies.length / seconds),
    'q/s a core': count(latencies.length / (after.cpuSeconds - before.cpuSeconds)),
    lost: count(QUERIES - latencies.length),
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    'p99 of it generator': percentile(lagMs, 0.99),
    resident: `${(after.rssBytes / 2 ** 20).toFixed(0)} MiB`,
  };
}

function percentile(values: number[], share: number): string {
  values.sort((left, right) => left - right);
  const value = values[Math.floor(values.length * share)];
  return value === undefined ? '' : `${value.toFixed(2)} ms`;
}

async function usage(child: ChildProcess) {
  child.send('usage');
  const [answer] = await once(child, 'message');
  return answer as { cpuSeconds: number; rssBytes: number };
}

interface Asked {
  /** Milliseconds from when each answered query was due. */
  latencies: number[];
  /** Milliseconds by which each query was sent late. */
  lagMs: number[];
}

/** `perSecond` undefined: the next query goes when one is answered. */
async function ask(port: number, queries: number, perSecond: number | undefined): Promise<Asked> {
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, (_, index) => Client.open(index, port)),
  );
  const each = Math.ceil(queries / CLIENTS);
  if (perSecond === undefined) {
    await Promise.all(clients.map((client) => client.askInTurn(each, OUTSTANDING / CLIENTS)));
  } else await offer(clients, each * CLIENTS, perSecond);
  for (const client of clients) client.close();
  return {
    latencies: clients.flatMap((client) => client.latencies),
    lagMs: clients.flatMap((client) => client.lagMs),
  };
}

async function offer(clients: Client[], queries: number, perSecond: number): Promise<void> {
  const start = performance.now();
  for (let sent = 0; sent < queries; await new Promise(setImmediate)) {
    const due = Math.min(queries, ((performance.now() - start) / 1000) * perSecond);
    for (; sent < due; sent++) {
      clients[sent % clients.length]?.send(start + (sent / perSecond) * 1000);
    }
  }
  // What has not come by then is lost.
  await new Promise((resolve) => setTimeout(resolve, 500));
}

class Client {
  readonly latencies: number[] = [];
  readonly lagMs: number[] = [];
  readonly #socket: Socket;
  readonly #messages: Uint8Array[];
  /** When the latest query with that id was due. */
  readonly #dueMs = new Float64Array(65_536);
  #sent = 0;

  private constructor(index: number, socket: Socket) {
    this.#socket = socket;
    this.#messages = Array.from({ length: 256 }, (_, number) => {
      const service = (index * 64 + number) % 1000;
      const known = `web-${service}.ns-${service % 10}.svc.cluster.local`;
      return encodeQuery(0, number % 4 === 3 ? `example.org.${known}` : known, 'A', 1232);
    });
    socket.on('message', (bytes) => {
      this.latencies.push(performance.now() - (this.#dueMs[bytes.readUInt16BE(0)] ?? 0));
      this.#answered();
    });
  }

  static async open(index: number, port: number): Promise<Client> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 2 ** 20 });
    socket.bind(0, `127.0.1.${index + 1}`);
    await once(socket, 'listening');
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Client(index, socket);
  }

  close(): void {
    this.#socket.close();
  }

  async askInTurn(queries: number, outstanding: number): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#answered = () => {
        if (this.#sent < queries) this.send(performance.now());
        else if (this.latencies.length === queries) resolve();
      };
    });
    for (let index = 0; index < outstanding; index++) this.send(performance.now());
    await done;
  }

  #answered = (): void => {};

  send(dueMs: number): void {
    const id = this.#sent & 0xffff;
    const message = Buffer.from(this.#messages[this.#sent++ % this.#messages.length] ?? []);
    message.writeUInt16BE(id, 0);
    this.#dueMs[id] = dueMs;
    this.lagMs.push(performance.now() - dueMs);
    this.#socket.send(message);
  }
}
