import type { Logger } from '../../../shared/logger.ts';
import { bindDatagrams, type DatagramSocket } from '../../host/datagrams.ts';
import type { Responder } from './responder.ts';

export interface DnsServerParts {
  responder: Pick<Responder, 'respond'>;
  /** Port 0 lets the kernel choose. */
  address: string;
  port: number;
  log: Logger;
}

/** Serves DNS at one address. */
export class DnsServer {
  readonly #parts: DnsServerParts;
  #udp: DatagramSocket | undefined;

  constructor(parts: DnsServerParts) {
    this.#parts = parts;
  }

  /** The port that is bound; 0 before the start. */
  get port(): number {
    return this.#udp?.port ?? 0;
  }

  /** Throws when the address cannot be bound. */
  async start(): Promise<void> {
    const { address, port, log } = this.#parts;
    this.#udp = await bindDatagrams(
      { address, port },
      (bytes, from) => this.#datagram(bytes, from),
      (error) => log.warn('the DNS socket failed', { error: String(error) }),
    );
  }

  async stop(): Promise<void> {
    this.#udp?.close();
    this.#udp = undefined;
  }

  #datagram(bytes: Buffer, from: { address: string; port: number }): void {
    const response = this.#parts.responder.respond(bytes, 'udp');
    if (response === undefined) return;
    if (response instanceof Promise) void response.then((late) => this.#send(late, from));
    else this.#send(response, from);
  }

  #send(bytes: Uint8Array | undefined, { address, port }: { address: string; port: number }): void {
    if (bytes !== undefined) this.#udp?.send(bytes, port, address);
  }
}
