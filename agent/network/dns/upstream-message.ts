import {
  encodeOption,
  HEADER_BYTES,
  MESSAGE_FLAG,
  type Query,
  questionNameEnd,
  RCODE,
  skipName,
} from './packet.ts';

/** One record of a message, where it lies in its bytes. */
interface RecordPlace {
  section: 'answer' | 'authority' | 'additional';
  type: number;
  ttlSeconds: number;
  ttlOffset: number;
  end: number;
}

/** A response of another server as it came, without its OPT record: what is not understood is passed on unharmed. */
export interface UpstreamMessage {
  /** Up to the end of the last record that is kept. */
  bytes: Buffer;
  questionEnd: number;
  records: RecordPlace[];
  rcode: number;
  truncated: boolean;
}

const TYPE_CNAME = 5;
const TYPE_SOA = 6;
const TYPE_OPT = 41;
const SECTIONS = ['answer', 'authority', 'additional'] as const;
const FIXED_BYTES = 10;

/** Reads a response; undefined when it is malformed. Never throws. */
export function parseUpstream(bytes: Buffer): UpstreamMessage | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const flags = bytes.readUInt16BE(2);
  const questionEnd = bytes.readUInt16BE(4) === 0 ? HEADER_BYTES : endOfQuestion(bytes);
  if (questionEnd === undefined || bytes.readUInt16BE(4) > 1) return undefined;
  const records: RecordPlace[] = [];
  let offset = questionEnd;
  let end = questionEnd;
  for (const [index, section] of SECTIONS.entries()) {
    const count = bytes.readUInt16BE(6 + 2 * index);
    for (let number = 0; number < count; number++) {
      const record = readRecord(bytes, offset, section);
      if (record === undefined) return undefined;
      offset = record.end;
      // What follows the OPT record is given up: it may point to what lies behind it.
      if (record.type === TYPE_OPT) return message(bytes, end, questionEnd, records, flags);
      records.push(record);
      end = offset;
    }
  }
  return message(bytes, end, questionEnd, records, flags);
}

/** Whether a response is the one to a query: same id, same question without case. Format errors may leave the question out. */
export function isResponseTo(bytes: Buffer, id: number, question: Buffer): boolean {
  if (bytes.length < HEADER_BYTES || bytes.readUInt16BE(0) !== id) return false;
  const flags = bytes.readUInt16BE(2);
  if ((flags & MESSAGE_FLAG.response) === 0) return false;
  const end = HEADER_BYTES + question.length;
  if (bytes.readUInt16BE(4) === 0) return (flags & 15) !== RCODE.noError;
  if (bytes.readUInt16BE(4) !== 1 || bytes.length < end) return false;
  return lowerCaseQuestion(bytes.subarray(HEADER_BYTES, end)).equals(question);
}

/** A question section with one question, its name in lower case. */
export function lowerCaseQuestion(question: Buffer): Buffer {
  const lower = Buffer.from(question);
  const nameEnd = questionNameEnd(question) ?? 0;
  for (let index = 0; index < nameEnd; index++) {
    const byte = lower[index] ?? 0;
    // Lengths of labels are less than 64.
    if (byte >= 0x41 && byte <= 0x5a) lower[index] = byte + 0x20;
  }
  return lower;
}

/** For how long a response holds, seconds; 0 when it must not be kept (RFC 2308 for what is not there). */
export function lifetimeSeconds({ bytes, records, rcode, truncated }: UpstreamMessage): number {
  if (truncated || (rcode !== RCODE.noError && rcode !== RCODE.noName)) return 0;
  const ttls = records
    .filter(({ section }) => section !== 'additional')
    .map(({ ttlSeconds }) => ttlSeconds);
  const says = records.some(({ section, type }) => section === 'answer' && type !== TYPE_CNAME);
  if (rcode === RCODE.noError && says) return Math.min(...ttls);
  const soa = records.find(({ section, type }) => section === 'authority' && type === TYPE_SOA);
  return soa === undefined ? 0 : Math.min(...ttls, bytes.readUInt32BE(soa.end - 4));
}

/**
 * The message as response to a query for the same question, with its id and its letters' case, at most `limitBytes`. TTLs become what
 * `ttlOf` makes of them.
 */
export function renderUpstream(
  message: UpstreamMessage,
  query: Query,
  limitBytes: number,
  ttlOf: (ttlSeconds: number) => number,
): Buffer {
  const option = query.edns === undefined ? undefined : encodeOption(query.edns.dnssecOk, 0);
  const room = limitBytes - (option?.length ?? 0);
  const fits = message.records.filter(({ end }) => end <= room);
  const end = fits.at(-1)?.end ?? message.questionEnd;
  const cut = message.records.some(({ section, end }) => section !== 'additional' && end > room);
  const bytes = Buffer.alloc(end + (option?.length ?? 0));
  message.bytes.copy(bytes, 0, 0, end);
  option?.copy(bytes, end);
  bytes.writeUInt16BE(query.id, 0);
  const kept = MESSAGE_FLAG.response | MESSAGE_FLAG.authenticData | 15;
  bytes.writeUInt16BE(
    (message.bytes.readUInt16BE(2) & kept) |
      MESSAGE_FLAG.recursionAvailable |
      (cut || message.truncated ? MESSAGE_FLAG.truncated : 0) |
      (query.recursionDesired ? MESSAGE_FLAG.recursionDesired : 0) |
      (query.checkingDisabled ? MESSAGE_FLAG.checkingDisabled : 0),
    2,
  );
  for (const [index, section] of SECTIONS.entries()) {
    const count = fits.filter((record) => record.section === section).length;
    const more = option !== undefined && section === 'additional' ? 1 : 0;
    bytes.writeUInt16BE(count + more, 6 + 2 * index);
  }
  if (query.questionBytes.length === message.questionEnd - HEADER_BYTES) {
    query.questionBytes.copy(bytes, HEADER_BYTES);
  }
  for (const { ttlOffset, ttlSeconds } of fits) bytes.writeUInt32BE(ttlOf(ttlSeconds), ttlOffset);
  return bytes;
}

function message(
  bytes: Buffer,
  end: number,
  questionEnd: number,
  records: RecordPlace[],
  flags: number,
): UpstreamMessage {
  return {
    // A copy: a small message should not hold a large receive buffer.
    bytes: Buffer.from(bytes.subarray(0, end)),
    questionEnd,
    records,
    rcode: flags & 15,
    truncated: (flags & MESSAGE_FLAG.truncated) !== 0,
  };
}

function endOfQuestion(bytes: Buffer): number | undefined {
  const end = skipName(bytes, HEADER_BYTES);
  return end === undefined || end + 4 > bytes.length ? undefined : end + 4;
}

function readRecord(
  bytes: Buffer,
  start: number,
  section: RecordPlace['section'],
): RecordPlace | undefined {
  const fixed = skipName(bytes, start);
  if (fixed === undefined || fixed + FIXED_BYTES > bytes.length) return undefined;
  const type = bytes.readUInt16BE(fixed);
  const end = fixed + FIXED_BYTES + bytes.readUInt16BE(fixed + 8);
  if (end > bytes.length || (type === TYPE_SOA && end < fixed + FIXED_BYTES + 20)) return undefined;
  // The highest bit of a TTL counts as none (RFC 2181 §8).
  const ttl = bytes.readUInt32BE(fixed + 4);
  const ttlSeconds = ttl > 0x7fff_ffff ? 0 : ttl;
  return { section, type, ttlSeconds, ttlOffset: fixed + 4, end };
}
