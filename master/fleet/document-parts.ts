import { encodeBody } from '../../shared/wire/body.ts';
import type { Part } from '../../shared/wire/desired-messages.ts';

/** Compressed and signed in a few milliseconds. */
const PART_BYTES = 256 * 1024;

/**
 * The bodies of one delta or snapshot: its documents, already as JSON, in parts of about PART_BYTES under the field `list`. `first` is in
 * every part, `last` only in the last. Documents are taken and parts made one at a time, so that whoever sends them can do something
 * else in between.
 */
export function* documentParts(
  list: 'puts' | 'documents',
  documents: Iterable<Uint8Array>,
  first: object,
  last: object,
): Generator<Uint8Array> {
  let index = 0;
  let group: Uint8Array[] = [];
  let bytes = 0;
  for (const document of documents) {
    if (bytes > 0 && bytes + document.length > PART_BYTES) {
      yield withList({ ...first, part: { index, last: false }, ...emptied(last) }, list, group);
      index += 1;
      group = [];
      bytes = 0;
    }
    group.push(document);
    bytes += document.length;
  }
  const part: { part?: Part } = index === 0 ? {} : { part: { index, last: true } };
  yield withList({ ...first, ...part, ...last }, list, group);
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
