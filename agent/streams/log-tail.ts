import type { LogFile } from '../host/log-files.ts';
import { isPartialHead } from './cri-log.ts';

const BLOCK_BYTES = 64 * 1024;
/** Enough of a line to hold its time, stream and tag. */
const HEAD_BYTES = 64;
const NEWLINE = 0x0a;

/**
 * Where the last `lines` lines of the file begin, found from its end in blocks; a line that was written in parts counts once.
 * `found` is how many there are, when the file has fewer.
 */
export async function tailStart(
  file: LogFile,
  lines: number,
): Promise<{ offset: number; found: number }> {
  const size = await file.size();
  if (lines <= 0) return { offset: size, found: 0 };
  let found = 0;
  /** Where the raw line after the one that is looked at begins: a line of its own, unless this one goes on in it. */
  let next: number | undefined;
  for await (const { start, head } of rawLinesBackwards(file, size)) {
    if (next !== undefined && !isPartialHead(head)) {
      found++;
      if (found === lines) return { offset: next, found };
    }
    next = start;
  }
  return { offset: 0, found: next === undefined ? found : found + 1 };
}

/** The raw lines of the file, last first; what is not ended by a line end yet is left out. */
async function* rawLinesBackwards(
  file: LogFile,
  size: number,
): AsyncGenerator<{ start: number; head: Buffer }> {
  let after = Buffer.alloc(0);
  let isLast = true;
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - BLOCK_BYTES);
    const block = await file.read(from, end - from);
    const seen = Buffer.concat([block, after]);
    for (let at = block.lastIndexOf(NEWLINE); at >= 0; at = lastNewlineBefore(block, at)) {
      // Behind the last line end there is no whole line.
      if (!isLast) yield { start: from + at + 1, head: seen.subarray(at + 1, at + 1 + HEAD_BYTES) };
      isLast = false;
    }
    after = Buffer.from(seen.subarray(0, HEAD_BYTES));
    end = from;
  }
  if (!isLast) yield { start: 0, head: after };
}

function lastNewlineBefore(block: Buffer, at: number): number {
  return at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1);
}
