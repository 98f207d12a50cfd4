import { HEADER_BYTES, type Query } from './packet.ts';
import type { ZoneRecord } from './records.ts';

/** What responses are made of; another serial when any record changed. */
interface Records {
  readonly serial: number;
}

interface KnownResponse {
  bytes: Buffer;
  /** Where the first of several addresses lies, how long each is, and how far they are apart. */
  addresses: { offset: number; length: number; stride: number; count: number } | undefined;
}

/** The fixed part of a record behind a compressed name: pointer, type, class, TTL, length. */
const RECORD_HEAD_BYTES = 12;
const ADDRESS_BYTES = { A: 4, AAAA: 16 } as const;
const POINTER_TO_QUESTION = 0xc000 | HEADER_BYTES;
const MAX_ENTRIES = 2048;
const MAX_QUERY_BYTES = 300;
const FLAG_TRUNCATED_BYTE = 0x02;

/**
 * Responses to queries that were the same but for their id, as long as no record has changed: most of what a resolver asks it asks
 * again. Several addresses come in another order each time.
 */
export class AnsweredQueries {
  readonly #random: () => number;
  readonly #known = new Map<string, KnownResponse>();
  #zone: Records | undefined;
  #serial = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** The response to the bytes of a query, by the zone as it is; undefined when it must be worked out. */
  find(query: Buffer, zone: Records): Buffer | undefined {
    if (zone !== this.#zone || zone.serial !== this.#serial) {
      this.#known.clear();
      this.#zone = zone;
      this.#serial = zone.serial;
      return undefined;
    }
    if (query.length > MAX_QUERY_BYTES || query.length < HEADER_BYTES) return undefined;
    const known = this.#known.get(query.toString('latin1', 2));
    if (known === undefined) return undefined;
    const response = Buffer.allocUnsafe(known.bytes.length);
    response.set(known.bytes);
    response[0] = query[0] ?? 0;
    response[1] = query[1] ?? 0;
    if (known.addresses !== undefined) this.#shuffle(response, known.addresses);
    return response;
  }

  /** Remembers a response whose order of records does not matter or can be changed. */
  keep(bytes: Buffer, query: Query, answers: readonly ZoneRecord[], response: Buffer): void {
    if (bytes.length > MAX_QUERY_BYTES) return;
    if (((response[2] ?? 0) & FLAG_TRUNCATED_BYTE) !== 0) return;
    const addresses = addressesIn(query, answers, response);
    if (answers.length > 1 && addresses === undefined) return;
    if (this.#known.size >= MAX_ENTRIES) this.#known.clear();
    this.#known.set(bytes.toString('latin1', 2), { bytes: response, addresses });
  }

  #shuffle(
    response: Buffer,
    { offset, length, stride, count }: NonNullable<KnownResponse['addresses']>,
  ): void {
    for (let index = count - 1; index > 0; index--) {
      const one = offset + index * stride;
      const other = offset + Math.floor(this.#random() * (index + 1)) * stride;
      for (let byte = 0; byte < length; byte++) {
        const kept = response[one + byte] ?? 0;
        response[one + byte] = response[other + byte] ?? 0;
        response[other + byte] = kept;
      }
    }
  }
}

/** Several addresses of the name that was asked for follow each other in records of one size. */
function addressesIn(
  query: Query,
  answers: readonly ZoneRecord[],
  response: Buffer,
): KnownResponse['addresses'] | undefined {
  const type = answers[0]?.type;
  if (answers.length < 2 || (type !== 'A' && type !== 'AAAA')) return undefined;
  const length = ADDRESS_BYTES[type];
  const stride = RECORD_HEAD_BYTES + length;
  const start = HEADER_BYTES + query.questionBytes.length;
  for (const [index, record] of answers.entries()) {
    const head = start + index * stride;
    if (record.type !== type || response.readUInt16BE(head) !== POINTER_TO_QUESTION)
      return undefined;
  }
  return { offset: start + RECORD_HEAD_BYTES, length, stride, count: answers.length };
}
