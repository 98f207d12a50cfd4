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

/** The commits up to the first line that is not whole, and where that begins. */
export function decodeCommits(bytes: Buffer): { commits: Commit[]; length: number } {
  const commits: Commit[] = [];
  let length = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, length);
    const commit = end === -1 ? undefined : decodeLine(bytes.toString('utf8', length, end));
    if (commit === undefined) return { commits, length };
    commits.push(commit);
    length = end + 1;
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
