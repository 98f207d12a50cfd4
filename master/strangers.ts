import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Connections of whom nobody has said yet who it is. Only so many are kept, for each costs memory: one more ends the one that has been
 * silent for longest. Who waits for an answer is not silent. Everything is O(1).
 */
export class Strangers {
  readonly #limit: number;
  /** By peer, the oldest first. */
  readonly #silent = new Map<string, Socket>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Until it closes, or `forget`. */
  add(socket: Socket): void {
    const peer = peerOf(socket);
    this.#admit(peer, socket);
    socket.once('close', () => {
      if (this.#silent.get(peer) === socket) this.#silent.delete(peer);
    });
  }

  /** `socket` may be the TLS one over the connection that was added. */
  forget(socket: Socket): void {
    this.#silent.delete(peerOf(socket));
  }

  /** A request that has arrived whole is waited for, until it is answered. */
  answering(request: IncomingMessage, response: ServerResponse): void {
    const peer = peerOf(request.socket);
    const socket = this.#silent.get(peer);
    if (socket === undefined) return;
    const arrived = () => {
      if (this.#silent.get(peer) !== socket || response.writableEnded) return;
      this.#silent.delete(peer);
      // Not 'finish', which waits for a peer that does not read.
      response.once('prefinish', () => {
        if (!socket.destroyed) this.#admit(peer, socket);
      });
    };
    if (hasBody(request)) request.once('end', arrived);
    else arrived();
  }

  #admit(peer: string, socket: Socket): void {
    this.#silent.set(peer, socket);
    if (this.#silent.size <= this.#limit) return;
    const [oldest] = this.#silent;
    if (oldest === undefined) return;
    this.#silent.delete(oldest[0]);
    oldest[1].destroy();
  }
}

/** The same for a TCP connection and the TLS connection over it, and no other's at the time. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** RFC 9112, 6.3. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
