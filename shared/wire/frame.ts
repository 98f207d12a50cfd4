import { type Leaf, MAX_MESSAGE_BYTES } from './topics.ts';

/**
 * Every message on the link is one or more frames:
 *
 *   byte 0       version (1)
 *   bytes 1-64   Ed25519 signature
 *   byte 65      flags: 1 = the body is deflated (raw)
 *   bytes 66-67  length of the header, big-endian
 *   …            header, compact JSON in UTF-8
 *   …            body, up to the end
 *
 * Signed is `skerry/1|<cluster>|<node>|<leaf>|` followed by everything from byte 65 on, so no frame is valid on another topic, for
 * another node or in another cluster. The compressed bytes are what is signed: verify before inflating.
 */
const FRAME_VERSION = 1;
const SIGNATURE_BYTES = 64;
const SIGNED_FROM = 1 + SIGNATURE_BYTES;
const HEADER_FROM = SIGNED_FROM + 3;
const FLAG_DEFLATED = 1;
/** Below this a deflated body is hardly smaller. */
const DEFLATE_FROM_BYTES = 200;
/** Room that a header can take, so that chunks stay below the limit. */
const HEADER_RESERVE_BYTES = 1024;
export const CHUNK_BYTES = MAX_MESSAGE_BYTES - HEADER_FROM - HEADER_RESERVE_BYTES;

export type MessageKind =
  | 'head'
  | 'delta'
  | 'snapshot'
  | 'seen'
  | 'refused'
  | 'alive'
  | 'reports'
  | 'hello'
  | 'applied'
  | 'stream';

const MESSAGE_KINDS: ReadonlySet<string> = new Set<MessageKind>([
  'head',
  'delta',
  'snapshot',
  'seen',
  'refused',
  'alive',
  'reports',
  'hello',
  'applied',
  'stream',
]);

export interface MessageHeader {
  kind: MessageKind;
  /** The session of the agent (session-id.ts) that sends, or that the message is meant for; '' only on `head`. */
  session: string;
  /** Downwards: rises when a master is restored. Upwards and where it does not matter: 0. */
  epoch: number;
  /** Downwards: the revision of the master's election; smaller ones are refused. */
  term: number;
  /** Downwards: the generation that the message leads to. */
  generation: number;
  /** Rises by one with every message of a session and leaf (not per chunk); a receiver drops what is not newer. Streams use 0. */
  sequence: number;
}

export interface FrameHeader extends MessageHeader {
  /** Chunk `index` of `count` of one body; all chunks share the rest of the header. */
  chunk: { index: number; count: number };
}

export interface Frame {
  header: FrameHeader;
  deflated: boolean;
  /** A view into the received bytes. */
  body: Uint8Array;
}

/** Where a frame travels; part of what is signed. */
export interface FrameAddress {
  cluster: string;
  node: string;
  leaf: Leaf;
}

/** Why a message is not accepted. `version`: from another release; `signature`: forged, or by a key that is not known. */
export class FrameError extends Error {
  readonly reason: 'version' | 'malformed' | 'signature' | 'too-large';

  constructor(reason: FrameError['reason'], message: string) {
    super(message);
    this.name = 'FrameError';
    this.reason = reason;
  }
}

export interface FrameWriter {
  /** Ed25519 over exactly these bytes; 64 bytes. */
  sign(bytes: Uint8Array): Uint8Array;
  /** Raw deflate; absent: bodies travel as they are. */
  deflate?(bytes: Uint8Array): Uint8Array;
}

/** The frames of one message in order, each at most MAX_MESSAGE_BYTES. */
export function encodeMessage(
  address: FrameAddress,
  header: MessageHeader,
  body: Uint8Array,
  writer: FrameWriter,
): Uint8Array[] {
  const compressed =
    writer.deflate && body.length >= DEFLATE_FROM_BYTES ? writer.deflate(body) : body;
  const deflated = compressed.length < body.length;
  const payload = deflated ? compressed : body;
  const count = Math.max(1, Math.ceil(payload.length / CHUNK_BYTES));
  return Array.from({ length: count }, (_, index) =>
    encodeFrame(
      address,
      {
        header: { ...header, chunk: { index, count } },
        deflated,
        body: payload.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES),
      },
      writer,
    ),
  );
}

function encodeFrame(address: FrameAddress, frame: Frame, writer: FrameWriter): Uint8Array {
  const header = new TextEncoder().encode(headerToJson(frame.header));
  const bytes = new Uint8Array(HEADER_FROM + header.length + frame.body.length);
  bytes[0] = FRAME_VERSION;
  bytes[SIGNED_FROM] = frame.deflated ? FLAG_DEFLATED : 0;
  new DataView(bytes.buffer).setUint16(SIGNED_FROM + 1, header.length);
  bytes.set(header, HEADER_FROM);
  bytes.set(frame.body, HEADER_FROM + header.length);
  bytes.set(writer.sign(signedBytes(address, bytes)), 1);
  return bytes;
}

/** Checks version, form and signature, in this order. Throws FrameError. Does not inflate: see MessageAssembler. */
export function decodeFrame(
  address: FrameAddress,
  bytes: Uint8Array,
  verify: (signed: Uint8Array, signature: Uint8Array) => boolean,
): Frame {
  if (bytes.length === 0) throw new FrameError('malformed', 'the message is empty');
  if (bytes[0] !== FRAME_VERSION) {
    throw new FrameError(
      'version',
      `message version ${bytes[0]} is not known here; this release speaks version ${FRAME_VERSION}`,
    );
  }
  if (bytes.length < HEADER_FROM) throw new FrameError('malformed', 'the message is cut short');
  const signature = bytes.subarray(1, SIGNED_FROM);
  if (!verify(signedBytes(address, bytes), signature)) {
    throw new FrameError('signature', 'the signature does not match');
  }
  const flags = bytes[SIGNED_FROM] ?? 0;
  if ((flags & ~FLAG_DEFLATED) !== 0) throw new FrameError('malformed', `unknown flags ${flags}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bodyFrom = HEADER_FROM + view.getUint16(SIGNED_FROM + 1);
  if (bodyFrom > bytes.length) throw new FrameError('malformed', 'the header is cut short');
  return {
    header: headerFromJson(new TextDecoder().decode(bytes.subarray(HEADER_FROM, bodyFrom))),
    deflated: (flags & FLAG_DEFLATED) !== 0,
    body: bytes.subarray(bodyFrom),
  };
}

function signedBytes(address: FrameAddress, frame: Uint8Array): Uint8Array {
  const context = new TextEncoder().encode(
    `skerry/${FRAME_VERSION}|${address.cluster}|${address.node}|${address.leaf}|`,
  );
  const signed = new Uint8Array(context.length + frame.length - SIGNED_FROM);
  signed.set(context);
  signed.set(frame.subarray(SIGNED_FROM), context.length);
  return signed;
}

/** Zeros and single chunks are left out: a heartbeat's header is 40 bytes. */
function headerToJson(header: FrameHeader): string {
  return JSON.stringify({
    k: header.kind,
    x: header.session || undefined,
    e: header.epoch || undefined,
    t: header.term || undefined,
    g: header.generation || undefined,
    s: header.sequence || undefined,
    c: header.chunk.count === 1 ? undefined : [header.chunk.index, header.chunk.count],
  });
}

function headerFromJson(text: string): FrameHeader {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new FrameError('malformed', 'the header is not JSON');
  }
  if (typeof fields !== 'object' || fields === null) {
    throw new FrameError('malformed', 'the header is not an object');
  }
  const { k: kind, x: session = '', c: chunk = [0, 1] } = fields;
  if (typeof kind !== 'string' || !MESSAGE_KINDS.has(kind)) {
    throw new FrameError('version', `message kind ${JSON.stringify(kind)} is not known here`);
  }
  if (typeof session !== 'string') throw new FrameError('malformed', 'the session is no string');
  if (!Array.isArray(chunk)) throw new FrameError('malformed', 'the chunk is no pair');
  const index = natural(chunk[0], 'chunk');
  const total = natural(chunk[1], 'chunk');
  if (index >= total) throw new FrameError('malformed', `chunk ${index} of ${total}`);
  return {
    kind: kind as MessageKind,
    session,
    epoch: natural(fields['e'] ?? 0, 'epoch'),
    term: natural(fields['t'] ?? 0, 'term'),
    generation: natural(fields['g'] ?? 0, 'generation'),
    sequence: natural(fields['s'] ?? 0, 'sequence'),
    chunk: { index, count: total },
  };
}

function natural(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new FrameError('malformed', `${name} is no natural number`);
  }
  return value;
}
