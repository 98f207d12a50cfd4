import type { KeyObject } from 'node:crypto';
import { decodeFrame, encodeMessage, type MessageKind } from '../../shared/wire/frame.ts';
import {
  MAX_BODY_BYTES,
  type Message,
  MessageAssembler,
} from '../../shared/wire/message-assembler.ts';
import { type Leaf, leavesOf, TOPICS } from '../../shared/wire/topics.ts';
import { deflate, inflate, isSignedBy, publicKeyOf, signWith } from './node-crypto.ts';

/** A head, or a stream message, is small; a snapshot may be large. */
const MAX_BODY_BY_LEAF: Partial<Record<Leaf, number>> = {
  head: 64 * 1024,
  rq: 256 * 1024,
  d: MAX_BODY_BYTES,
};

/**
 * Writes and reads the messages of one session: signed, numbered, bound to the session. Invariant: what `read` answers is from the
 * master, for this node and session, and newer than everything of its leaf before.
 */
export class LinkCodec {
  readonly #address: { cluster: string; node: string };
  readonly #session: string;
  readonly #signingKey: KeyObject;
  readonly #masterKey: KeyObject;
  readonly #written = new Map<Leaf, number>();
  readonly #read = new Map<Leaf, number>();
  readonly #assemblers: Map<Leaf, MessageAssembler>;

  /** `masterKey`: raw Ed25519, base64. */
  constructor(parts: {
    cluster: string;
    node: string;
    session: string;
    signingKey: KeyObject;
    masterKey: string;
  }) {
    this.#address = { cluster: parts.cluster, node: parts.node };
    this.#session = parts.session;
    this.#signingKey = parts.signingKey;
    this.#masterKey = publicKeyOf('Ed25519', parts.masterKey);
    this.#assemblers = new Map(
      leavesOf('down').map((leaf) => [
        leaf,
        new MessageAssembler({ inflate, maxBodyBytes: MAX_BODY_BY_LEAF[leaf] ?? MAX_BODY_BYTES }),
      ]),
    );
  }

  /** The frames of a message and the sequence number that they carry. */
  write(
    leaf: Leaf,
    kind: MessageKind,
    body: Uint8Array,
    sequence = this.#nextSequence(leaf),
  ): { frames: Uint8Array[]; sequence: number } {
    const header = { kind, session: this.#session, epoch: 0, term: 0, generation: 0, sequence };
    const frames = encodeMessage({ ...this.#address, leaf }, header, body, {
      sign: (bytes) => signWith(this.#signingKey, bytes),
      // Streams are often compressed already, and heartbeats are one byte.
      ...(leaf === 'st' || leaf === 'ack' ? { deflate } : {}),
    });
    return { frames, sequence };
  }

  /** The message that these bytes complete; undefined: not yet, or not for this session. Throws FrameError. */
  read(leaf: Leaf, bytes: Uint8Array): Message | undefined {
    const frame = decodeFrame({ ...this.#address, leaf }, bytes, (signed, signature) =>
      isSignedBy(this.#masterKey, signed, signature),
    );
    const { kind, session } = frame.header;
    if (!TOPICS[leaf].kinds.includes(kind)) return undefined;
    if (kind !== 'head' && session !== this.#session) return undefined;
    const message = this.#assemblers.get(leaf)?.add(frame);
    return message && this.#isNew(leaf, message) ? message : undefined;
  }

  #isNew(leaf: Leaf, { header }: Message): boolean {
    if (header.kind === 'head' || header.kind === 'stream') return true;
    if (header.sequence <= (this.#read.get(leaf) ?? 0)) return false;
    this.#read.set(leaf, header.sequence);
    return true;
  }

  #nextSequence(leaf: Leaf): number {
    if (leaf === 'rs') return 0;
    const sequence = (this.#written.get(leaf) ?? 0) + 1;
    this.#written.set(leaf, sequence);
    return sequence;
  }
}
