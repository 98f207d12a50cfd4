import * as dnsPacket from 'dns-packet';
import type { ZoneRecord } from './records.ts';

/** RFC 1035 §4.1.1, RFC 6895. */
export const RCODE = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  noName: 3,
  notImplemented: 4,
  refused: 5,
  /** EDNS: in part in the OPT record (RFC 6891 §6.1.3). */
  badVersion: 16,
} as const;

export interface Question {
  /** In lower case, without the trailing dot. */
  name: string;
  /** `A`, `SRV`, `UNKNOWN_65`, … */
  type: string;
  /** `IN`, `CH`, … */
  class: string;
}

export interface Query {
  id: number;
  opcode: number;
  recursionDesired: boolean;
  checkingDisabled: boolean;
  questions: Question[];
  /** The question section as it was sent, to be repeated letter by letter. */
  questionBytes: Buffer;
  edns: { udpPayloadSize: number; version: number; dnssecOk: boolean } | undefined;
}

export const HEADER_BYTES = 12;
/** Without EDNS a datagram has at most this (RFC 1035 §4.2.1). */
export const PLAIN_UDP_BYTES = 512;
/** What we take and send at most by UDP: fits every link unfragmented (DNS flag day 2020). */
export const UDP_PAYLOAD_BYTES = 1232;

/** Bits of the header's second word (RFC 1035 §4.1.1, RFC 4035). */
export const MESSAGE_FLAG = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  authenticData: 0x0020,
  checkingDisabled: 0x0010,
} as const;

/** Smallest question and record: a root name and the fixed fields. */
const QUESTION_BYTES = 5;
const RECORD_BYTES = 11;
/** More is nothing that a resolver asks. */
const MAX_QUERY_RECORDS = 32;

/**
 * Reads a query. 'ignored' for what must not be answered (responses, less than a header), 'malformed' for what gets a format error.
 * Never throws.
 */
export function decodeQuery(bytes: Buffer): Query | 'ignored' | 'malformed' {
  if (bytes.length < HEADER_BYTES) return 'ignored';
  const flags = bytes.readUInt16BE(2);
  if ((flags & MESSAGE_FLAG.response) !== 0) return 'ignored';
  const header = {
    id: bytes.readUInt16BE(0),
    opcode: (flags >> 11) & 15,
    recursionDesired: (flags & MESSAGE_FLAG.recursionDesired) !== 0,
    checkingDisabled: (flags & MESSAGE_FLAG.checkingDisabled) !== 0,
  };
  // Other operations have other sections; the answer is the same for all of them.
  if (header.opcode !== 0) {
    return { ...header, questions: [], questionBytes: Buffer.alloc(0), edns: undefined };
  }
  const questionCount = bytes.readUInt16BE(4);
  const recordCount = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
  // The decoder makes room for as many as the header promises: a lie must not cost memory.
  const least = HEADER_BYTES + questionCount * QUESTION_BYTES + recordCount * RECORD_BYTES;
  if (least > bytes.length || questionCount + recordCount > MAX_QUERY_RECORDS) return 'malformed';
  const questionEnd = endOfQuestions(bytes, questionCount);
  if (questionEnd === undefined) return 'malformed';
  try {
    const { questions = [], additionals = [] } = dnsPacket.decode(bytes);
    const options = additionals.filter((record) => record.type === 'OPT');
    // RFC 6891 §6.1.1.
    if (options.length > 1) return 'malformed';
    const option = options[0];
    return {
      ...header,
      questions: questions.map(({ name, type, class: of = 'IN' }) => ({
        name: name === '.' ? '' : name.toLowerCase(),
        type,
        class: of,
      })),
      questionBytes: bytes.subarray(HEADER_BYTES, questionEnd),
      edns: option && {
        udpPayloadSize: option.udpPayloadSize,
        version: option.ednsVersion,
        dnssecOk: option.flag_do,
      },
    };
  } catch {
    return 'malformed';
  }
}

/** What a format error repeats of a query that cannot be read: its id. */
export function encodeFormatError(bytes: Buffer): Buffer {
  const answer = Buffer.alloc(HEADER_BYTES);
  bytes.copy(answer, 0, 0, 2);
  answer.writeUInt16BE(MESSAGE_FLAG.response | RCODE.formatError, 2);
  return answer;
}

/** A record of a zone, or one of another server's message. */
type MessageRecord = ZoneRecord | dnsPacket.Answer;

export interface Response {
  rcode: number;
  authoritative: boolean;
  answers?: readonly MessageRecord[];
  authorities?: readonly MessageRecord[];
  additionals?: readonly MessageRecord[];
}

/**
 * The response's bytes, at most `limitBytes`: additional records go first, without a word (RFC 2181 §9), then authorities and answers,
 * and the response says that it is truncated. Owner names that the question ends with are compressed.
 */
export function encodeResponse(query: Query, response: Response, limitBytes: number): Buffer {
  const { answers = [], authorities = [], additionals = [] } = response;
  const optionBytes = query.edns === undefined ? 0 : RECORD_BYTES;
  const room = limitBytes - HEADER_BYTES - query.questionBytes.length - optionBytes;
  const suffixes = questionSuffixes(query.questionBytes);
  const parts: Buffer[] = [];
  const counts = [0, 0, 0];
  let used = 0;
  let truncated = false;
  for (const [section, records] of [answers, authorities, additionals].entries()) {
    for (const record of records) {
      const bytes = encodeRecord(record, suffixes);
      if (used + bytes.length > room) {
        truncated ||= section < 2;
        break;
      }
      used += bytes.length;
      parts.push(bytes);
      counts[section] = (counts[section] ?? 0) + 1;
    }
    if (truncated) break;
  }
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(query.id, 0);
  header.writeUInt16BE(responseFlags(query, response, truncated), 2);
  header.writeUInt16BE(query.questions.length, 4);
  header.writeUInt16BE(counts[0] ?? 0, 6);
  header.writeUInt16BE(counts[1] ?? 0, 8);
  header.writeUInt16BE((counts[2] ?? 0) + (query.edns === undefined ? 0 : 1), 10);
  if (query.edns !== undefined) parts.push(encodeOption(query.edns.dnssecOk, response.rcode >> 4));
  return Buffer.concat([header, query.questionBytes, ...parts]);
}

/** An OPT record without options (RFC 6891 §6.1.2). */
export function encodeOption(dnssecOk: boolean, extendedRcode: number): Buffer {
  const bytes = Buffer.alloc(RECORD_BYTES);
  bytes.writeUInt16BE(41, 1);
  bytes.writeUInt16BE(UDP_PAYLOAD_BYTES, 3);
  bytes.writeUInt8(extendedRcode, 5);
  bytes.writeUInt16BE(dnssecOk ? 0x8000 : 0, 7);
  return bytes;
}

function responseFlags(query: Query, response: Response, truncated: boolean): number {
  return (
    MESSAGE_FLAG.response |
    (query.opcode << 11) |
    (response.authoritative ? MESSAGE_FLAG.authoritative : 0) |
    (truncated ? MESSAGE_FLAG.truncated : 0) |
    (query.recursionDesired ? MESSAGE_FLAG.recursionDesired : 0) |
    MESSAGE_FLAG.recursionAvailable |
    (query.checkingDisabled ? MESSAGE_FLAG.checkingDisabled : 0) |
    (response.rcode & 15)
  );
}

function encodeRecord(record: MessageRecord, suffixes: ReadonlyMap<string, number>): Buffer {
  const whole = dnsPacket.encode({ type: 'response', answers: [record] }).subarray(HEADER_BYTES);
  const nameLength = skipName(whole, 0) ?? 0;
  const name = whole.toString('latin1', 0, nameLength).toLowerCase();
  const offset = suffixes.get(name);
  if (offset === undefined) return whole;
  const pointer = Buffer.alloc(2);
  pointer.writeUInt16BE(0xc000 | offset, 0);
  return Buffer.concat([pointer, whole.subarray(nameLength)]);
}

/** Where each end of the first question's name begins in the message, by its bytes in lower case. */
function questionSuffixes(questionBytes: Buffer): Map<string, number> {
  const suffixes = new Map<string, number>();
  const end = nameEnd(questionBytes, 0) ?? 0;
  for (let offset = 0; offset < end - 1; offset += (questionBytes[offset] ?? 0) + 1) {
    const suffix = questionBytes.toString('latin1', offset, end).toLowerCase();
    suffixes.set(suffix, HEADER_BYTES + offset);
  }
  return suffixes;
}

/** Where the question section ends; undefined when it is cut off, or has pointers, which have nothing to point to there. */
function endOfQuestions(bytes: Buffer, count: number): number | undefined {
  let offset: number | undefined = HEADER_BYTES;
  for (let index = 0; index < count && offset !== undefined; index++) {
    const end = nameEnd(bytes, offset);
    offset = end === undefined || end + 4 > bytes.length ? undefined : end + 4;
  }
  return offset;
}

/** The byte after the name of a question section's first question. */
export function questionNameEnd(questionBytes: Buffer): number | undefined {
  return nameEnd(questionBytes, 0);
}

/** The byte after a name, which may end in a pointer; undefined when it is cut off. */
export function skipName(bytes: Buffer, start: number): number | undefined {
  let offset = start;
  for (let length = bytes[offset]; length !== undefined; length = bytes[offset]) {
    if (length === 0) return offset + 1;
    if (length >= 0xc0) return offset + 2 <= bytes.length ? offset + 2 : undefined;
    if (length > 63) return undefined;
    offset += length + 1;
  }
  return undefined;
}

/** The byte after a name without pointers. */
function nameEnd(bytes: Buffer, start: number): number | undefined {
  let offset = start;
  for (let length = bytes[offset]; length !== undefined; length = bytes[offset]) {
    if (length === 0) return offset + 1;
    if (length > 63) return undefined;
    offset += length + 1;
  }
  return undefined;
}

/** A plain recursive query, with EDNS if `udpPayloadSize` is given. */
export function encodeQuery(
  id: number,
  name: string,
  type: string,
  udpPayloadSize?: number,
): Buffer {
  const option = { type: 'OPT', name: '.', udpPayloadSize: udpPayloadSize ?? 0 };
  return dnsPacket.encode({
    type: 'query',
    id,
    flags: MESSAGE_FLAG.recursionDesired,
    questions: [{ name, type: type as dnsPacket.RecordType }],
    additionals: udpPayloadSize === undefined ? [] : [option as dnsPacket.Answer],
  });
}

/** Everything a message says. Throws when it is malformed. */
export function decodeMessage(bytes: Buffer): dnsPacket.DecodedPacket & { rcode: string } {
  return dnsPacket.decode(bytes) as dnsPacket.DecodedPacket & { rcode: string };
}

/** A query to another server, in our own name: recursive, with the client's wishes for DNSSEC. */
export function encodeForwardedQuery(
  id: number,
  {
    bytes,
    dnssecOk,
    checkingDisabled,
  }: { bytes: Buffer; dnssecOk: boolean; checkingDisabled: boolean },
  edns: boolean,
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(
    MESSAGE_FLAG.recursionDesired | (checkingDisabled ? MESSAGE_FLAG.checkingDisabled : 0),
    2,
  );
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(edns ? 1 : 0, 10);
  return Buffer.concat(edns ? [header, bytes, encodeOption(dnssecOk, 0)] : [header, bytes]);
}

/** A question section with one question. Throws when the name is none. */
export function encodeQuestion({ name, type }: Pick<Question, 'name' | 'type'>): Buffer {
  const whole = encodeQuery(0, name, type);
  return whole.subarray(HEADER_BYTES);
}
