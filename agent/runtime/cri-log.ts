import { formatIsoTime } from '../../shared/meta/time.ts';
/** Longest text in one line of a CRI log; longer lines are written in parts. */
export const MAX_LINE_BYTES = 16_384;

const NEWLINE = 0x0a;

/**
 * Turns raw output into lines of the CRI log format (`<time> <stream> F|P <text>`, KEP design "CRI: log management"). Answers the
 * lines and how many bytes of `raw` went into them: what is after the last newline waits for its end, unless it is too long or `last`.
 */
export function criLines(
  raw: Uint8Array,
  time: string,
  stream: 'stdout' | 'stderr',
  last: boolean,
): { lines: Uint8Array; consumedBytes: number } {
  const full = Buffer.from(`${time} ${stream} F `);
  const partial = Buffer.from(`${time} ${stream} P `);
  const newline = Buffer.from('\n');
  const pieces: Uint8Array[] = [];
  let at = 0;
  while (at < raw.length) {
    const end = raw.indexOf(NEWLINE, at);
    const lineEnd = end < 0 ? raw.length : end;
    if (lineEnd - at > MAX_LINE_BYTES) {
      pieces.push(partial, raw.subarray(at, at + MAX_LINE_BYTES), newline);
      at += MAX_LINE_BYTES;
    } else if (end >= 0) {
      pieces.push(full, raw.subarray(at, end), newline);
      at = end + 1;
    } else {
      if (!last) break;
      pieces.push(partial, raw.subarray(at), newline);
      at = raw.length;
    }
  }
  return { lines: Buffer.concat(pieces), consumedBytes: at };
}

/** RFC 3339 with nine digits, of which the clock gives three. */
export function criTime(nowMs: number): string {
  return formatIsoTime(nowMs).replace('Z', '000000Z');
}
