import type { Logger } from '../../shared/logger.ts';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import {
  STREAM_CHUNK_BYTES,
  STREAM_WINDOW,
  type StreamMessage,
} from '../../shared/wire/stream-messages.ts';
import { type StreamHandler, StreamRefused, type StreamSink } from '../streams/stream.ts';

/** Each may have half a megabyte under way. */
const MAX_STREAMS = 32;

export interface StreamMuxOptions {
  handlers: readonly StreamHandler[];
  /** Sends on `rs`. */
  send: (message: StreamMessage) => void;
  logger: Logger;
}

/** The node's end of all streams of one session: opens what the master asks for, gives each its credit, ends all with the session. */
export class StreamMux {
  readonly #handlers: ReadonlyMap<string, StreamHandler>;
  readonly #send: (message: StreamMessage) => void;
  readonly #logger: Logger;
  readonly #streams = new Map<string, OutgoingStream>();

  constructor(options: StreamMuxOptions) {
    this.#handlers = new Map(options.handlers.map((handler) => [handler.kind, handler]));
    this.#send = options.send;
    this.#logger = options.logger;
  }

  receive(message: StreamMessage): void {
    const stream = this.#streams.get(message.stream);
    switch (message.type) {
      case 'open':
        if (stream === undefined) this.#open(message);
        return;
      case 'credit':
        stream?.grant(message.upTo);
        return;
      case 'cancel':
        stream?.abort();
        return;
      case 'data':
      case 'end':
        // No kind of stream takes input yet.
        return;
      default:
        return;
    }
  }

  /** The connection is over: so are its streams. */
  disconnected(): void {
    for (const stream of this.#streams.values()) stream.abort();
  }

  get count(): number {
    return this.#streams.size;
  }

  #open({ stream: id, kind, request }: Extract<StreamMessage, { type: 'open' }>): void {
    const handler = this.#handlers.get(kind);
    if (handler === undefined) {
      this.#refuse(id, 'BadRequest', `this node serves no streams of kind "${kind}"`);
      return;
    }
    if (this.#streams.size >= MAX_STREAMS) {
      this.#refuse(id, 'TooManyRequests', `this node already serves ${MAX_STREAMS} streams`);
      return;
    }
    const stream = new OutgoingStream(id, this.#send);
    this.#streams.set(id, stream);
    void this.#serve(handler, request, stream).finally(() => this.#streams.delete(id));
  }

  async #serve(handler: StreamHandler, request: JsonObject, stream: OutgoingStream): Promise<void> {
    try {
      await handler.serve(request, stream, stream.signal);
      stream.end();
    } catch (error) {
      if (stream.signal.aborted) return;
      if (error instanceof StreamRefused) {
        stream.end({ reason: error.reason, message: error.message });
        return;
      }
      this.#logger.error('a stream failed', { kind: handler.kind, error: String(error) });
      stream.end({ reason: 'InternalError', message: messageOf(error) });
    }
  }

  #refuse(stream: string, reason: string, message: string): void {
    this.#send({ type: 'end', stream, sequence: 0, error: { reason, message } });
  }
}

/** One direction of one stream. Invariant: no sequence number is sent that was not granted. */
class OutgoingStream implements StreamSink {
  readonly #id: string;
  readonly #send: (message: StreamMessage) => void;
  readonly #abort = new AbortController();
  #sequence = 0;
  #granted = STREAM_WINDOW;
  #wake: (() => void)[] = [];

  constructor(id: string, send: (message: StreamMessage) => void) {
    this.#id = id;
    this.#send = send;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length; offset += STREAM_CHUNK_BYTES) {
      while (this.#sequence >= this.#granted && !this.signal.aborted) {
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
      if (this.signal.aborted) throw new Error('the reader has left');
      const bytes = chunk.subarray(offset, offset + STREAM_CHUNK_BYTES);
      const sequence = this.#sequence;
      this.#sequence += 1;
      this.#send({ type: 'data', stream: this.#id, sequence, channel: 0, bytes });
    }
  }

  grant(upTo: number): void {
    this.#granted = Math.max(this.#granted, upTo);
    this.#wakeAll();
  }

  abort(): void {
    this.#abort.abort();
    this.#wakeAll();
  }

  end(error?: { reason: string; message: string }): void {
    if (this.signal.aborted) return;
    const message = { type: 'end', stream: this.#id, sequence: this.#sequence } as const;
    this.#send(error === undefined ? message : { ...message, error });
  }

  #wakeAll(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const resolve of waiting) resolve();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
