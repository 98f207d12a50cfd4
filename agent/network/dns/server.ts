import type { Logger } from '../../../shared/logger.ts';
import type { Clock } from '../../../shared/reconcile/clock.ts';
import { bindDatagrams, type DatagramSocket } from '../../host/datagrams.ts';
import {
  type ConnectionHandler,
  listenForStreams,
  type StreamConnection,
} from '../../host/stream-listener.ts';
import { FloodGuard, type FloodLimits } from './flood-guard.ts';
import { MessageSplitter, withLength } from './length-prefix.ts';
import type { Responder, Transport } from './responder.ts';

export interface DnsServerParts {
  responder: Pick<Responder, 'respond'>;
  /** Port 0 lets the kernel choose. */
  address: string;
  port: number;
  clock: Clock;
  log: Logger;
  limits?: FloodLimits;
}

const MAX_CONNECTIONS = 128;
const IDLE_TIMEOUT_MS = 10_000;
/** Answers that a client of a connection waits for at most, and leaves unread at most. */
const MAX_PIPELINED = 64;
const MAX_UNSENT_BYTES = 256 * 1024;

/** Serves DNS over UDP and TCP at one address (RFC 1035 §4.2, RFC 7766). Whatever clients send, it goes on. */
export class DnsServer {
  readonly #parts: DnsServerParts;
  readonly #guard: FloodGuard;
  #udp: DatagramSocket | undefined;
  #closeTcp: (() => Promise<void>) | undefined;

  constructor(parts: DnsServerParts) {
    this.#parts = parts;
    this.#guard = new FloodGuard(parts.clock, parts.limits);
  }

  /** The port that is bound; 0 before the start. */
  get port(): number {
    return this.#udp?.port ?? 0;
  }

  /** Throws when the address cannot be bound. */
  async start(): Promise<void> {
    const { address, port, log } = this.#parts;
    const failed = (error: Error) => log.warn('a DNS socket failed', { error: String(error) });
    this.#udp = await bindDatagrams(
      { address, port },
      (bytes, from) => {
        this.#query(bytes, 'udp', from.address, (response) => {
          this.#udp?.send(response, from.port, from.address);
        });
      },
      failed,
    );
    try {
      this.#closeTcp = await listenForStreams(
        {
          address,
          port: this.#udp.port,
          maxConnections: MAX_CONNECTIONS,
          idleTimeoutMs: IDLE_TIMEOUT_MS,
        },
        (connection) => this.#connected(connection),
        failed,
      );
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#udp?.close();
    this.#udp = undefined;
    await this.#closeTcp?.();
    this.#closeTcp = undefined;
  }

  /** `reply` is called at most once; never for what is dropped. */
  #query(
    bytes: Buffer,
    transport: Transport,
    client: string,
    reply: (response: Buffer) => void,
  ): void {
    if (!this.#guard.admit(client)) return;
    const response = this.#parts.responder.respond(bytes, transport, () =>
      this.#guard.begin(client, 'pending'),
    );
    if (response === undefined) return;
    if (response instanceof Promise) void response.then(reply);
    else reply(response);
  }

  #connected(connection: StreamConnection): ConnectionHandler | undefined {
    const ended = this.#guard.begin(connection.client, 'connections');
    if (ended === undefined) return undefined;
    const splitter = new MessageSplitter();
    let waiting = 0;
    const answer = (message: Buffer): void => {
      waiting++;
      if (waiting >= MAX_PIPELINED) connection.pause();
      this.#query(message, 'tcp', connection.client, (response) => {
        waiting--;
        if (waiting < MAX_PIPELINED) connection.resume();
        if (connection.unsentBytes > MAX_UNSENT_BYTES) connection.destroy();
        else connection.write(withLength(response));
      });
    };
    return {
      data: (chunk) => {
        for (const message of splitter.push(chunk)) answer(message);
      },
      closed: ended,
    };
  }
}
