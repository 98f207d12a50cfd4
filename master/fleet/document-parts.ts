import { encodeBody } from '../../shared/wire/body.ts';
import type { Part } from '../../shared/wire/desired-messages.ts';

/** Compressed and signed in a few milliseconds. */
const PART_BYTES = 256 * 1024;

/**
 * The bodies of one delta or snapshot: its documents, already as JSON, in parts of about PART_BYTES under the field `list`. `first` is in
 * every part, `last` only in the last. One at a time, so that whoever sends them can do something else in between.
 */
export function* documentParts(
  list: 'puts' | 'documents',
  documents: readonly Uint8Array[],
  first: object,
  last: object,
): Generator<Uint8Array> {
  const groups = grouped(documents);
  for (const [index, group] of groups.entries()) {
    const count = groups.length;
    const part: { part?: Part } = count === 1 ? {} : { part: { index, count } };
    const isLast = index === count - 1;
    yield withList({ ...first, ...part, ...(isLast ? last : emptied(last)) }, list, group);
  }
}

function grouped(documents: readonly Uint8Array[]): Uint8Array[][] {
  const groups: Uint8Array[][] = [];
  let bytes = PART_BYTES;
  for (const document of documents) {
    if (bytes + document.length > PART_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(document);
    bytes += document.length;
  }
  return groups.length === 0 ? [[]] : groups;
}

/** The lists of the last part are there in every part, as readers want them. */
function emptied(last: object): object {
  return Object.fromEntries(Object.keys(last).map((key) => [key, []]));
}

/** The JSON of `fields` with one list more, whose members are JSON already. */
function withList(fields: object, list: string, members: readonly Uint8Array[]): Uint8Array {
  const head = Buffer.from(encodeBody(fields)).subarray(0, -1);
  const parts: Uint8Array[] = [head, Buffer.from(`,"${list}":[`)];
  for (const [index, member] of members.entries()) {
    if (index > 0) parts.push(COMMA);
    parts.push(member);
  }
  parts.push(END);
  return Buffer.concat(parts);
}

const COMMA = Buffer.from(',');
const END = Buffer.from(']}');
