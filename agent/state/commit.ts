import { createHash } from 'node:crypto';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import type { EpochMark, WireDocument } from '../../shared/wire/desired-messages.ts';

/** Which desired state the disk holds; `term` is the highest election seen, so that a deposed master is not obeyed. */
export interface DesiredMark extends EpochMark {
  term: number;
}

/** What one line of the log changes. All of it happens, or none. */
export interface Commit {
  mark?: DesiredMark;
  puts?: WireDocument[];
  deletes?: string[];
  /** By pod uid; null removes. */
  records?: Record<string, JsonObject | null>;
  /** How often the agent has started. */
  starts?: number;
}

const NEWLINE = 0x0a;
const CHECKSUM_CHARS = 16;

/** A line: the first 16 hex digits of the SHA-256 of the JSON, a space, the JSON (which holds no raw line break), a line break. */
export function encodeCommit(commit: Commit): Buffer {
  const json = JSON.stringify(commit);
  return Buffer.from(`${checksum(json)} ${json}\n`, 'utf8');
}

/** The commits up to the first line that is not whole, where that begins, and the commits behind it: a torn write has none. */
export function decodeCommits(bytes: Buffer): {
  commits: Commit[];
  length: number;
  behind: Commit[];
} {
  const commits: Commit[] = [];
  const behind: Commit[] = [];
  let length = 0;
  let begin = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, begin);
    if (end === -1) return { commits, length, behind };
    const commit = decodeLine(bytes.toString('utf8', begin, end));
    const isWholeSoFar = length === begin;
    begin = end + 1;
    if (commit === undefined) continue;
    if (isWholeSoFar) length = begin;
    (isWholeSoFar ? commits : behind).push(commit);
  }
}

function decodeLine(line: string): Commit | undefined {
  const json = line.slice(CHECKSUM_CHARS + 1);
  if (line.slice(0, CHECKSUM_CHARS) !== checksum(json)) return undefined;
  return JSON.parse(json) as Commit;
}

function checksum(json: string): string {
  return createHash('sha256').update(json).digest('hex').slice(0, CHECKSUM_CHARS);
}
