import { answerQuery } from './answer.ts';
import { AnsweredQueries } from './answered-queries.ts';
import {
  decodeQuery,
  encodeFormatError,
  encodeResponse,
  PLAIN_UDP_BYTES,
  type Query,
  type Question,
  RCODE,
  UDP_PAYLOAD_BYTES,
} from './packet.ts';
import type { ZoneRecord } from './records.ts';
import type { Zone } from './zone.ts';

export type Transport = 'udp' | 'tcp';

/** Asks whoever knows the names that are not the cluster's. */
export interface Upstreams {
  /**
   * The response to `query` about `question` (another one than the query's own if aliases led there), at most `limitBytes`; undefined
   * when nobody answers. `aliases` go before the answers. Never rejects.
   */
  resolve(
    query: Query,
    question: Question,
    aliases: readonly ZoneRecord[],
    limitBytes: number,
  ): Promise<Buffer | undefined>;
}

const TCP_BYTES = 65_535;

/** Turns the bytes of a query into the bytes of its response. */
export class Responder {
  readonly #zone: () => Zone;
  readonly #upstreams: Upstreams;
  readonly #random: () => number;
  readonly #answered: AnsweredQueries;

  constructor(parts: { zone: () => Zone; upstreams: Upstreams; random: () => number }) {
    this.#zone = parts.zone;
    this.#upstreams = parts.upstreams;
    this.#random = parts.random;
    this.#answered = new AnsweredQueries(parts.random);
  }

  /**
   * The response, at once for the cluster's names; undefined when there shall be none. `wait` asks whether the client may wait for
   * other servers, and answers what to call when it did. Never throws or rejects.
   */
  respond(
    bytes: Buffer,
    transport: Transport,
    wait: () => (() => void) | undefined,
  ): Buffer | Promise<Buffer> | undefined {
    const zone = this.#zone();
    const known = transport === 'udp' ? this.#answered.find(bytes, zone) : undefined;
    if (known !== undefined) return known;
    const query = decodeQuery(bytes);
    if (query === 'ignored') return undefined;
    if (query === 'malformed') return encodeFormatError(bytes);
    const limitBytes = transport === 'tcp' ? TCP_BYTES : datagramLimit(query);
    const answer = answerQuery(query, zone, this.#random);
    if (answer.kind === 'respond') {
      const { answers, rcode } = answer.response;
      const response = encodeResponse(query, answer.response, limitBytes);
      if (transport === 'udp' && (rcode === RCODE.noError || rcode === RCODE.noName)) {
        this.#answered.keep(bytes, query, answers ?? [], response);
      }
      return response;
    }
    const waited = wait();
    if (waited === undefined) return encodeResponse(query, FAILURE, limitBytes);
    return this.#upstreams
      .resolve(query, answer.question, answer.answers, limitBytes)
      .then((found) => found ?? encodeResponse(query, FAILURE, limitBytes))
      .finally(waited);
  }
}

const FAILURE = { rcode: RCODE.serverFailure, authoritative: false } as const;

/** What the client takes by UDP, and we send. */
function datagramLimit({ edns }: Query): number {
  if (edns === undefined) return PLAIN_UDP_BYTES;
  return Math.min(Math.max(edns.udpPayloadSize, PLAIN_UDP_BYTES), UDP_PAYLOAD_BYTES);
}
