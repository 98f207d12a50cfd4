import type { UpstreamMessage } from './upstream-message.ts';

export interface CachedMessage {
  message: UpstreamMessage;
  /** Monotonic milliseconds. */
  storedAtMs: number;
  freshUntilMs: number;
}

/** What an entry costs besides its message. */
const OVERHEAD_BYTES = 400;
const RECORD_OVERHEAD_BYTES = 100;

/**
 * Responses of other servers by question, at most so many entries and bytes; what was not asked for the longest time goes first.
 * Entries stay after they have run out, so that they can stand in for servers that are away (RFC 8767).
 */
export class UpstreamCache {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #entries = new Map<string, CachedMessage>();
  #bytes = 0;

  constructor({ maxEntries, maxBytes }: { maxEntries: number; maxBytes: number }) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** An estimate of the memory that is held. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): CachedMessage | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  set(key: string, entry: CachedMessage): void {
    this.delete(key);
    this.#entries.set(key, entry);
    this.#bytes += cost(key, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= cost(key, entry);
  }
}

function cost(key: string, { message }: CachedMessage): number {
  const records = message.records.length * RECORD_OVERHEAD_BYTES;
  return OVERHEAD_BYTES + 2 * key.length + message.bytes.length + records;
}
