import { ApiError, ERROR_REASONS, type ErrorReason } from '../../shared/errors.ts';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import {
  STREAM_CHUNK_BYTES,
  STREAM_WINDOW,
  type StreamMessage,
} from '../../shared/wire/stream-messages.ts';

export interface StreamData {
  channel: number;
  bytes: Uint8Array;
}

type Received = Exclude<StreamMessage, { type: 'open' }>;

/**
 * The master's end of one stream to a node, in both directions. Reading grants the node credit, and writing waits for the node's,
 * so a slow reader slows its source and at most STREAM_WINDOW chunks wait on either side.
 */
export class NodeStream implements AsyncIterable<StreamData> {
  readonly id: string;
  readonly #send: (message: StreamMessage) => boolean;
  readonly #onClosed: () => void;
  readonly #chunks: StreamData[] = [];
  #expected = 0;
  #granted = STREAM_WINDOW;
  #taken = 0;
  #sent = 0;
  #maySend = STREAM_WINDOW;
  /** The node said that nothing more comes; the chunks that wait are still read. */
  #ended = false;
  #closed = false;
  #error: ApiError | undefined;
  #result: JsonObject | undefined;
  #wakeReader: (() => void) | undefined;
  readonly #wakeWriters: (() => void)[] = [];

  constructor(parts: {
    id: string;
    send: (message: StreamMessage) => boolean;
    onClosed: () => void;
  }) {
    this.id = parts.id;
    this.#send = parts.send;
    this.#onClosed = parts.onClosed;
  }

  /** What the kind answers at its end; undefined before, and for kinds without a result. */
  get result(): JsonObject | undefined {
    return this.#result;
  }

  /** Everything from the node, once, in order. Throws ApiError when the node refused, or the stream broke. */
  async *[Symbol.asyncIterator](): AsyncGenerator<StreamData> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        this.#taken += 1;
        this.#grant();
        yield chunk;
        continue;
      }
      if (this.#error) throw this.#error;
      if (this.#ended || this.#closed) return;
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  /** Resolves when there was credit for all of it. Throws ApiError when the stream is over. */
  async write(channel: number, bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; from += STREAM_CHUNK_BYTES) {
      while (this.#sent >= this.#maySend && !this.#closed) {
        await new Promise<void>((resolve) => this.#wakeWriters.push(resolve));
      }
      if (this.#closed) throw this.#error ?? broken('the stream is over');
      const sequence = this.#sent++;
      const part = bytes.subarray(from, from + STREAM_CHUNK_BYTES);
      this.#send({ type: 'data', stream: this.id, sequence, channel, bytes: part });
    }
  }

  /** Nothing more will be written; reading goes on. */
  end(): void {
    if (!this.#closed) this.#send({ type: 'end', stream: this.id, sequence: this.#sent });
  }

  /** Both directions are over, the node is told. Does nothing when the stream is over already. */
  cancel(reason: string): void {
    if (this.#closed) return;
    if (!this.#ended) this.#send({ type: 'cancel', stream: this.id, reason });
    this.#close();
  }

  /** Both directions are over for this reason, which the node cannot be told. */
  fail(error: ApiError): void {
    if (this.#closed) return;
    this.#error = this.#ended ? undefined : error;
    this.#close();
  }

  receive(message: Received): void {
    if (this.#closed) return;
    switch (message.type) {
      case 'data':
        this.#receiveData(message);
        return;
      case 'credit':
        this.#maySend = Math.max(this.#maySend, message.upTo);
        wakeAll(this.#wakeWriters);
        return;
      case 'end':
        this.#receiveEnd(message);
        return;
      case 'cancel':
        this.#error = broken(`the node ended the stream: ${message.reason}`);
        this.#close();
    }
  }

  #receiveData({ sequence, channel, bytes }: Extract<Received, { type: 'data' }>): void {
    if (this.#ended || sequence < this.#expected) return;
    if (sequence > this.#expected) {
      this.#reset('gap');
    } else if (sequence >= this.#granted) {
      this.#reset('no credit');
    } else {
      this.#expected += 1;
      this.#chunks.push({ channel, bytes });
      this.#wakeReader?.();
    }
  }

  #receiveEnd({ sequence, error, result }: Extract<Received, { type: 'end' }>): void {
    if (this.#ended) return;
    if (error) {
      this.#error = new ApiError(reasonOf(error.reason), error.message);
    } else if (sequence !== this.#expected) {
      this.#reset('gap');
      return;
    }
    this.#result = result;
    this.#ended = true;
    this.#close();
  }

  #reset(reason: 'gap' | 'no credit'): void {
    this.#send({ type: 'cancel', stream: this.id, reason });
    this.#error = broken(`the stream broke: ${reason}`);
    this.#close();
  }

  #close(): void {
    this.#closed = true;
    this.#onClosed();
    this.#wakeReader?.();
    wakeAll(this.#wakeWriters);
  }

  /** In halves of the window, so that credit costs one message in eight. */
  #grant(): void {
    const upTo = this.#taken + STREAM_WINDOW;
    if (this.#closed || upTo - this.#granted < STREAM_WINDOW / 2) return;
    this.#granted = upTo;
    this.#send({ type: 'credit', stream: this.id, upTo });
  }
}

function wakeAll(waiting: (() => void)[]): void {
  for (const wake of waiting.splice(0)) wake();
}

function broken(message: string): ApiError {
  return new ApiError('ServiceUnavailable', message);
}

function reasonOf(reason: string): ErrorReason {
  return Object.hasOwn(ERROR_REASONS, reason) ? (reason as ErrorReason) : 'InternalError';
}
