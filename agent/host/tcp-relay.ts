import { connect, createServer, type Socket } from 'node:net';

export interface SocketAddress {
  address: string;
  port: number;
}

/** A port whose connections are passed on. */
export interface Relay {
  /** Ends it and every connection through it. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 3_000;

/**
 * Listens and passes each connection to an endpoint that `choose` names for the client's address: one after the other until one lets
 * connect, at most as many as it names. Throws when the address cannot be bound.
 */
export async function relayTcp(
  at: SocketAddress,
  choose: (clientAddress: string) => readonly SocketAddress[],
): Promise<Relay> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    open.add(client);
    client.once('close', () => open.delete(client));
    client.on('error', () => client.destroy());
    const pass = async () => {
      for (const endpoint of choose(client.remoteAddress ?? '')) {
        const upstream = await connectTo(endpoint);
        if (upstream === undefined) continue;
        open.add(upstream);
        upstream.once('close', () => open.delete(upstream));
        join(client, upstream);
        return;
      }
      client.resetAndDestroy();
    };
    void pass();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: at.address, port: at.port }, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function connectTo({ address, port }: SocketAddress): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, allowHalfOpen: true });
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy());
    socket.once('connect', () => {
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.once('error', () => socket.destroy());
    socket.once('close', () => resolve(undefined));
  });
}

function join(client: Socket, upstream: Socket): void {
  client.on('error', () => upstream.destroy());
  upstream.on('error', () => client.destroy());
  client.once('close', () => upstream.destroy());
  upstream.once('close', () => client.destroy());
  client.setNoDelay(true);
  upstream.setNoDelay(true);
  client.pipe(upstream);
  upstream.pipe(client);
  if (client.destroyed) upstream.destroy();
}
