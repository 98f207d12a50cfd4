import type { Socket } from 'node:dgram';
import type { Relay, SocketAddress } from './tcp-relay.ts';
import { udpSocket } from './udp-socket.ts';

/** As the kernel forgets flows: after half a minute without a datagram. */
const IDLE_MS = 30_000;
/** A flood from many ports must not eat all sockets of the process: the oldest flow goes. */
const MOST_FLOWS = 1_000;

/**
 * Passes datagrams on, a socket for each client address and port. `choose` is asked once per flow; without an answer the datagram is
 * dropped. Throws when the address cannot be bound.
 */
export async function relayUdp(
  at: SocketAddress,
  choose: (clientAddress: string) => SocketAddress | undefined,
): Promise<Relay & { forget(isGone: (endpoint: SocketAddress) => boolean): void }> {
  const flows = new Map<string, { upstream: Socket; to: SocketAddress; idle: NodeJS.Timeout }>();
  const server = udpSocket('udp4');
  const end = (key: string) => {
    const flow = flows.get(key);
    if (flow === undefined) return;
    flows.delete(key);
    clearTimeout(flow.idle);
    flow.upstream.close();
  };
  const begin = (key: string, client: SocketAddress) => {
    const to = choose(client.address);
    if (to === undefined) return undefined;
    const oldest = flows.size >= MOST_FLOWS ? flows.keys().next().value : undefined;
    if (oldest !== undefined) end(oldest);
    const upstream = udpSocket('udp4');
    upstream.on('error', () => end(key));
    upstream.on('message', (bytes) => server.send(bytes, client.port, client.address, ignore));
    const flow = { upstream, to, idle: setTimeout(() => end(key), IDLE_MS).unref() };
    flows.set(key, flow);
    return flow;
  };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.bind({ address: at.address, port: at.port, exclusive: true }, resolve);
  }).catch((error: unknown) => {
    server.close();
    throw error;
  });
  server.on('error', ignore);
  server.on('message', (bytes, client) => {
    const key = `${client.address}:${client.port}`;
    const flow = flows.get(key) ?? begin(key, client);
    flow?.idle.refresh();
    flow?.upstream.send(bytes, flow.to.port, flow.to.address, ignore);
  });
  return {
    forget(isGone) {
      for (const [key, { to }] of flows) if (isGone(to)) end(key);
    },
    async close() {
      for (const key of flows.keys()) end(key);
      await new Promise<void>((resolve) => server.close(resolve));
    },
  };
}

function ignore(): void {}
