import { CHUNK_BYTES, type Frame, FrameError, type MessageHeader } from './frame.ts';

export interface Message {
  header: MessageHeader;
  body: Uint8Array;
}

export interface AssemblerOptions {
  /** Raw inflate; throws when the result is larger than `maxBytes`. */
  inflate(bytes: Uint8Array, maxBytes: number): Uint8Array;
  /** The largest body, inflated. */
  maxBodyBytes: number;
}

/** The largest body of all: a snapshot with many large ConfigMaps. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Puts the chunks of verified frames together, for one sender and one leaf. Invariants: at most one message is incomplete (a newer
 * one displaces it, as ordering holds per topic), and no more than `maxBodyBytes` are ever kept.
 */
export class MessageAssembler {
  readonly #options: AssemblerOptions;
  #partial: { identity: string; parts: (Uint8Array | undefined)[]; missing: number } | undefined;

  constructor(options: AssemblerOptions) {
    this.#options = options;
  }

  /** The message when this frame was its last missing one. Throws FrameError; the message is then forgotten. */
  add(frame: Frame): Message | undefined {
    const { count } = frame.header.chunk;
    if (count === 1) return this.#message(frame, frame.body);
    if (count > Math.ceil(this.#options.maxBodyBytes / CHUNK_BYTES)) {
      throw new FrameError('too-large', `a message of ${count} chunks is too large`);
    }
    const parts = this.#keep(frame);
    return parts && this.#message(frame, concatenate(parts));
  }

  /** Forgets what is incomplete. */
  reset(): void {
    this.#partial = undefined;
  }

  #keep(frame: Frame): Uint8Array[] | undefined {
    const { chunk, kind, session, sequence, epoch, term, generation } = frame.header;
    const identity = [kind, session, sequence, epoch, term, generation, chunk.count].join('|');
    if (this.#partial?.identity !== identity) {
      this.#partial = { identity, parts: Array(chunk.count), missing: chunk.count };
    }
    const partial = this.#partial;
    if (partial.parts[chunk.index] === undefined) {
      partial.parts[chunk.index] = frame.body.slice();
      partial.missing -= 1;
    }
    if (partial.missing > 0) return undefined;
    this.#partial = undefined;
    return partial.parts as Uint8Array[];
  }

  #message(frame: Frame, payload: Uint8Array): Message {
    const { chunk: _, ...header } = frame.header;
    const { maxBodyBytes, inflate } = this.#options;
    if (!frame.deflated) {
      if (payload.length <= maxBodyBytes) return { header, body: payload };
      throw new FrameError('too-large', `the message has more than ${maxBodyBytes} bytes`);
    }
    try {
      return { header, body: inflate(payload, maxBodyBytes) };
    } catch (error) {
      throw new FrameError('malformed', `the message cannot be inflated: ${String(error)}`);
    }
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
