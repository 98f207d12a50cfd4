import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { damaged } from './damaged.ts';

/**
 * The store's file is a sequence of batches: lines of records, then one line of this id. It sorts behind all records, so that a
 * compacted file ends with it too.
 */
export const BATCH_END = '~meta';

const MARK = `{"_id":"${BATCH_END}"`;

/** What the last line of a batch says. */
export interface BatchEnd {
  _id: typeof BATCH_END;
  /** The newest revision when the batch was written. */
  rv: number;
  /** Revisions up to here may have been given out, also to records that are in no file. */
  ceiling: number;
  /** Length and checksum of the batch's other lines; absent in a compacted file, which replaces the old one as a whole. */
  bytes?: number;
  sum?: string;
}

/** One batch as it is written: a loss of power may leave any part of it, and then its checksum is wrong. */
export function encodeBatch(
  lines: readonly string[],
  end: { rv: number; ceiling: number },
): Buffer {
  const body = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const last: BatchEnd = { _id: BATCH_END, ...end, bytes: body.length, sum: checksum(body) };
  return Buffer.concat([body, Buffer.from(`${JSON.stringify(last)}\n`)]);
}

/** How lines of records and of deletions begin, as the database writes them. */
const RECORD = /^\{("\$\$deleted":true,)?"_id":"[^"]/;
/** What the database counts as a line that it cannot read; an error thrown here would end the process. */
const UNREADABLE = '';

/**
 * A stored line as the database may keep it: the checksum of a batch is none of a compacted file. What does not begin as a record
 * does is made unreadable, for the database passes over a line without an id in silence.
 */
export function readLine(line: string): string {
  if (!RECORD.test(line)) return UNREADABLE;
  if (!line.startsWith(MARK)) return line;
  try {
    const { bytes: _bytes, sum: _sum, ...end } = JSON.parse(line) as BatchEnd;
    return JSON.stringify(end);
  } catch {
    return UNREADABLE;
  }
}

/** NeDB ends lines also at these three, which JSON leaves as they are; within JSON they stand in strings only. */
export function escapeLine(line: string): string {
  return line.replace(
    /[\u0085\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * The length of a file up to the end of its last whole batch; undefined when it has none. Reads backwards from the end. Only the
 * last batch can be half written, because each is on the disk before the next begins: throws when the one before is damaged too.
 */
export async function soundLength(path: string): Promise<number | undefined> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    for (let window = 64 * 1024; ; window *= 4) {
      const offset = Math.max(0, size - window);
      const tail = await readAt(file, offset, size - offset);
      const found = soundEnd(tail, offset === 0);
      if (found === 'damaged') throw damaged(path, 'before its last write');
      if (found !== 'unknown') return offset + found;
      if (offset === 0) return undefined;
    }
  } finally {
    await file.close();
  }
}

/** `unknown`: the answer lies before this window. */
function soundEnd(tail: Buffer, isWhole: boolean): number | 'unknown' | 'damaged' {
  let start = tail.lastIndexOf(MARK);
  for (let unsound = 0; start >= 0; unsound += 1) {
    if (unsound > 1) return 'damaged';
    const verdict = judge(tail, start, isWhole);
    if (verdict !== 'damaged') return verdict;
    start = start === 0 ? -1 : tail.lastIndexOf(MARK, start - 1);
  }
  return 'unknown';
}

/** The end of the batch whose last line starts there. */
function judge(tail: Buffer, start: number, isWhole: boolean): number | 'unknown' | 'damaged' {
  const newline = tail.indexOf('\n', start);
  const end = newline < 0 ? undefined : parseEnd(tail.subarray(start, newline).toString());
  if (!end) return 'damaged';
  const bytes = end.bytes ?? 0;
  if (start < bytes) return isWhole ? 'damaged' : 'unknown';
  const body = tail.subarray(start - bytes, start);
  if (end.sum !== undefined && checksum(body) !== end.sum) return 'damaged';
  return newline + 1;
}

function parseEnd(line: string): BatchEnd | undefined {
  try {
    const end = JSON.parse(line) as BatchEnd;
    return Number.isSafeInteger(end.rv) && Number.isSafeInteger(end.ceiling) ? end : undefined;
  } catch {
    return undefined;
  }
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function checksum(body: Buffer): string {
  return createHash('sha1').update(body).digest('base64');
}
