const LENGTH_BYTES = 2;
const NOTHING = Buffer.alloc(0);

/** Finds the messages in a stream of bytes, each behind its length in two bytes (RFC 1035 §4.2.2). Holds 64 KiB at most. */
export class MessageSplitter {
  #held: Buffer = NOTHING;

  push(chunk: Buffer): Buffer[] {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const messages: Buffer[] = [];
    let start = 0;
    while (bytes.length - start >= LENGTH_BYTES) {
      const end = start + LENGTH_BYTES + bytes.readUInt16BE(start);
      if (end > bytes.length) break;
      messages.push(bytes.subarray(start + LENGTH_BYTES, end));
      start = end;
    }
    this.#held = start === bytes.length ? NOTHING : bytes.subarray(start);
    return messages;
  }
}

export function withLength(message: Uint8Array): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(message.length, 0);
  return Buffer.concat([length, message]);
}
