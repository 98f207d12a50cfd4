import type { JsonObject } from '../meta/kube-object.ts';
import { arrayIn, naturalIn, objectIn, stringIn, stringsIn } from './body.ts';

/** A state of the node's documents: equal hashes mean equal documents, whatever the generation says. */
export interface StateMark {
  /** The store revision at which the set last changed; 0: nothing yet. */
  generation: number;
  hash: string;
}

export interface EpochMark extends StateMark {
  epoch: number;
}

/**
 * A document as it travels: `key` and `version` as in the agent's state. A Secret travels as `sealed` (sealed.ts) and stays so on
 * the node's disk; its `object` is then only what may be known of it (apiVersion, kind, name, namespace, uid).
 */
export interface WireDocument {
  key: string;
  version: string;
  object: JsonObject;
  /** Base64. */
  sealed?: string;
}

/** `head`. Epoch, term and generation are in the header. A node that has this hash and epoch answers `applied`, any other says hello. */
export interface Head {
  hash: string;
}

/**
 * `delta`: leads from exactly `base` to the header's generation with `hash`. Applied only when the node has `base` and the outcome
 * has `hash`. A node that has `hash` already answers `applied` again; any other node says hello, and the master decides by what it
 * has. `base` may be later than the outcome: the master names it, so it knows.
 */
export interface Delta {
  base: StateMark;
  hash: string;
  puts: WireDocument[];
  /** With the last part. */
  deletes: string[];
  part?: Part;
}

/**
 * `snapshot`: everything that the node shall have. A node refuses an epoch, term or generation that is smaller than its own, unless
 * `replaces` is exactly what it has now: then the master knows that it goes back, having been restored from a backup.
 */
export interface SnapshotMessage {
  replaces: EpochMark;
  hash: string;
  documents: WireDocument[];
  part?: Part;
}

/**
 * A delta or snapshot with many documents travels as several messages of one generation and hash, in order, so that neither end is
 * busy with it for long at a time. Absent: the message is whole. Nothing is applied before the last part is there.
 */
export interface Part {
  index: number;
  last: boolean;
}

/** `hello`: on connect, every few minutes, and whenever something does not fit. The master answers with what is missing. */
export interface Hello {
  have: EpochMark;
  want?: 'snapshot';
  /** What the agent can take beyond this version of the protocol. */
  capabilities: string[];
  /** The agent's release. */
  release: string;
}

/** `applied`: saved on the node's disk. */
export interface Applied {
  have: EpochMark;
}

/** The hash of no documents at all. */
export const NO_STATE_HASH = '0'.repeat(64);

/**
 * The exclusive or of the SHA-256 of every document's key and version, in hex: it does not depend on their order, so one that comes
 * or goes costs one step (docs/adr/0012).
 */
export function stateHash(
  documents: Iterable<{ key: string; version: string }>,
  sha256Hex: (text: string) => string,
): string {
  return toggleInHash(NO_STATE_HASH, documents, sha256Hex);
}

/** The hash of a state that has each of `documents` if `hash` is of one that has it not, and the other way round. */
export function toggleInHash(
  hash: string,
  documents: Iterable<{ key: string; version: string }>,
  sha256Hex: (text: string) => string,
): string {
  let value = hashValue(hash);
  for (const { key, version } of documents) value ^= hashValue(sha256Hex(`${key}\n${version}\n`));
  return hashText(value);
}

/** The hash of two states together that have no document in common. */
export function joinHashes(a: string, b: string): string {
  return hashText(hashValue(a) ^ hashValue(b));
}

function hashValue(hash: string): bigint {
  return BigInt(`0x${hash}`);
}

function hashText(value: bigint): string {
  return value.toString(16).padStart(NO_STATE_HASH.length, '0');
}

export function readHead(body: JsonObject): Head {
  return { hash: stringIn(body['hash'], 'hash') };
}

export function readDelta(body: JsonObject): Delta {
  return {
    base: readStateMark(objectIn(body['base'], 'base')),
    hash: stringIn(body['hash'], 'hash'),
    puts: arrayIn(body['puts'], 'puts').map(readDocument),
    deletes: stringsIn(body['deletes'], 'deletes'),
    ...readPart(body),
  };
}

export function readSnapshot(body: JsonObject): SnapshotMessage {
  return {
    replaces: readEpochMark(body['replaces'], 'replaces'),
    hash: stringIn(body['hash'], 'hash'),
    documents: arrayIn(body['documents'], 'documents').map(readDocument),
    ...readPart(body),
  };
}

export function readHello(body: JsonObject): Hello {
  return {
    have: readEpochMark(body['have'], 'have'),
    ...(body['want'] === 'snapshot' ? { want: 'snapshot' as const } : {}),
    capabilities: stringsIn(body['capabilities'] ?? [], 'capabilities'),
    release: stringIn(body['release'] ?? '', 'release'),
  };
}

export function readApplied(body: JsonObject): Applied {
  return { have: readEpochMark(body['have'], 'have') };
}

function readPart(body: JsonObject): { part?: Part } {
  if (body['part'] === undefined) return {};
  const { index, last } = objectIn(body['part'], 'part');
  return { part: { index: naturalIn(index, 'index'), last: last === true } };
}

function readStateMark(mark: JsonObject): StateMark {
  return {
    generation: naturalIn(mark['generation'], 'generation'),
    hash: stringIn(mark['hash'], 'hash'),
  };
}

function readEpochMark(value: unknown, name: string): EpochMark {
  const mark = objectIn(value, name);
  return { ...readStateMark(mark), epoch: naturalIn(mark['epoch'], 'epoch') };
}

function readDocument(value: unknown): WireDocument {
  const document = objectIn(value, 'document');
  return {
    key: stringIn(document['key'], 'key'),
    version: stringIn(document['version'], 'version'),
    object: objectIn(document['object'], 'object'),
    ...(document['sealed'] === undefined ? {} : { sealed: stringIn(document['sealed'], 'sealed') }),
  };
}
