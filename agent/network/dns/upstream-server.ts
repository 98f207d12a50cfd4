import type { Clock } from '../../../shared/reconcile/clock.ts';
import type { Exchange, PeerAddress } from '../../host/exchange.ts';
import { encodeForwardedQuery } from './packet.ts';
import { isResponseTo, parseUpstream, type UpstreamMessage } from './upstream-message.ts';

export interface UpstreamServerParts {
  peer: PeerAddress;
  clock: Clock;
  /** An unpredictable number below 65,536 (RFC 5452 §9.2). */
  randomId: () => number;
  datagrams: Exchange;
  streams: Exchange;
}

/** What is asked: a question section with its name in lower case, and what the client wants of DNSSEC. */
export interface UpstreamQuestion {
  bytes: Buffer;
  dnssecOk: boolean;
  checkingDisabled: boolean;
}

/** A datagram may be lost: the second wait is for a server that is slow. */
const FIRST_WAIT_MS = 700;
const SECOND_WAIT_MS = 1500;
/** A server that does not answer is left alone for this long, doubled with each further failure. */
const FIRST_REST_MS = 1000;
const LONGEST_REST_MS = 10_000;

const RCODE_FORMAT_ERROR = 1;
const RCODE_NOT_IMPLEMENTED = 4;

/** One other DNS server, and whether it answers at present. */
export class UpstreamServer {
  readonly #parts: UpstreamServerParts;
  #failures = 0;
  #restUntilMs = 0;
  #asking = 0;
  /** Old servers take EDNS for an error. */
  #withoutEdns = false;

  constructor(parts: UpstreamServerParts) {
    this.#parts = parts;
  }

  get peer(): PeerAddress {
    return this.#parts.peer;
  }

  /** It failed the last time it was asked. */
  get isDoubtful(): boolean {
    return this.#failures > 0;
  }

  /** A server that failed is asked again after a rest, one question at a time. */
  get mayBeAsked(): boolean {
    if (this.#failures === 0) return true;
    return this.#asking === 0 && this.#parts.clock.monotonicMs() >= this.#restUntilMs;
  }

  /** Asks by UDP, and by TCP for what does not fit. Rejects when the server does not answer. */
  async ask(question: UpstreamQuestion): Promise<UpstreamMessage> {
    this.#asking++;
    try {
      const message = await this.#askEitherWay(question);
      this.#failures = 0;
      return message;
    } catch (error) {
      this.#rest();
      throw error;
    } finally {
      this.#asking--;
    }
  }

  /** Questions that fail together count as one failure. */
  #rest(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#failures > 0 && nowMs < this.#restUntilMs) return;
    const restMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** Math.min(this.#failures, 16));
    this.#failures++;
    this.#restUntilMs = nowMs + restMs;
  }

  async #askEitherWay(question: UpstreamQuestion): Promise<UpstreamMessage> {
    const { datagrams, streams } = this.#parts;
    let message = await this.#exchange(datagrams, question, FIRST_WAIT_MS).catch(
      (error: unknown) => {
        if (!(error instanceof NoAnswer)) throw error;
        return this.#exchange(datagrams, question, SECOND_WAIT_MS);
      },
    );
    const { rcode } = message;
    if (!this.#withoutEdns && (rcode === RCODE_FORMAT_ERROR || rcode === RCODE_NOT_IMPLEMENTED)) {
      this.#withoutEdns = true;
      message = await this.#exchange(datagrams, question, SECOND_WAIT_MS);
    }
    if (!message.truncated) return message;
    // Half an answer is better than none.
    return await this.#exchange(streams, question, SECOND_WAIT_MS).catch(() => message);
  }

  #exchange(
    exchange: Exchange,
    question: UpstreamQuestion,
    waitMs: number,
  ): Promise<UpstreamMessage> {
    const { peer, clock, randomId } = this.#parts;
    const id = randomId();
    const query = encodeForwardedQuery(id, question, !this.#withoutEdns);
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        cancel();
        close();
        settle();
      };
      const cancel = clock.after(waitMs, () => end(() => reject(new NoAnswer(peer.address))));
      const close = exchange(peer, query, {
        received: (bytes) => {
          // Not ours, or forged: the right one may still come.
          if (!isResponseTo(bytes, id, question.bytes)) return;
          const message = parseUpstream(bytes);
          if (message !== undefined) end(() => resolve(message));
        },
        failed: (error) => end(() => reject(error)),
      });
    });
  }
}

class NoAnswer extends Error {
  constructor(address: string) {
    super(`${address} did not answer`);
    this.name = 'NoAnswer';
  }
}
