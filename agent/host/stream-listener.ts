import { createServer } from 'node:net';

/** A TCP connection that somebody else began. */
export interface StreamConnection {
  readonly client: string;
  /** Bytes that the peer has not taken yet. */
  readonly unsentBytes: number;
  write(bytes: Uint8Array): void;
  /** Stops and goes on reading. */
  pause(): void;
  resume(): void;
  destroy(): void;
}

/** What the server does with one connection. */
export interface ConnectionHandler {
  data(chunk: Buffer): void;
  closed(): void;
}

export interface StreamListenerOptions {
  address: string;
  port: number;
  maxConnections: number;
  /** Without a byte in either direction the connection is cut. */
  idleTimeoutMs: number;
}

/**
 * Listens for TCP connections. `accepted` answers how to handle one, or undefined to refuse it. Throws when the address cannot be
 * bound. The answer closes the listener and every connection.
 */
export async function listenForStreams(
  { address, port, maxConnections, idleTimeoutMs }: StreamListenerOptions,
  accepted: (connection: StreamConnection) => ConnectionHandler | undefined,
  failed: (error: Error) => void,
): Promise<() => Promise<void>> {
  const open = new Set<() => void>();
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    const handler = accepted({
      client: socket.remoteAddress ?? '',
      get unsentBytes() {
        return socket.writableLength;
      },
      write: (bytes) => {
        if (socket.writable) socket.write(bytes);
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      destroy: () => socket.destroy(),
    });
    if (handler === undefined) {
      socket.destroy();
      return;
    }
    const cut = () => socket.destroy();
    open.add(cut);
    socket.setTimeout(idleTimeoutMs, cut);
    socket.on('data', (chunk) => handler.data(chunk));
    socket.on('close', () => {
      open.delete(cut);
      handler.closed();
    });
  });
  server.maxConnections = maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', failed);
  return async () => {
    const ended = new Promise((resolve) => server.close(resolve));
    for (const cut of open) cut();
    await ended;
  };
}
