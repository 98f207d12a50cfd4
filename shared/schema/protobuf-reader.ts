/** The bytes are not a protobuf message; the message is in the words of Go's generated decoders. */
export class ProtobufError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProtobufError';
  }
}

/** Wire types of the encoding (protobuf.dev/programming-guides/encoding). */
export type WireType = 0 | 1 | 2 | 5;

const UNEXPECTED_END = 'unexpected EOF';

/** Reads the fields of one message, never past its end. */
export class ProtobufReader {
  private readonly bytes: Uint8Array;
  private position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.bytes.length - this.position;
  }

  /** The next field; undefined at the end of the message. Throws ProtobufError. */
  next(): { number: number; wireType: WireType } | undefined {
    if (this.position === this.bytes.length) return undefined;
    const tag = this.varint();
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (number <= 0) throw new ProtobufError(`proto: illegal tag ${number} (wire type ${tag})`);
    if (wireType === 0 || wireType === 1 || wireType === 2 || wireType === 5) {
      return { number, wireType };
    }
    throw new ProtobufError(`proto: illegal wireType ${wireType}`);
  }

  /** A varint as a signed 64 bit number; beyond 2^53 it loses digits, as every number in JSON here does. */
  varint(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 64; shift += 7) {
      const byte = this.bytes[this.position++];
      if (byte === undefined) throw new ProtobufError(UNEXPECTED_END);
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) return high * 2 ** 32 + (low >>> 0);
    }
    throw new ProtobufError('proto: integer overflow');
  }

  /** The content of a length-delimited field: a view, not a copy. */
  content(): Uint8Array {
    const length = this.varint();
    if (length < 0) throw new ProtobufError('proto: negative length found during unmarshaling');
    return this.take(length);
  }

  /** Skips the value of an unknown field. */
  skip(wireType: WireType): void {
    if (wireType === 0) this.varint();
    else if (wireType === 2) this.content();
    else this.take(wireType === 1 ? 8 : 4);
  }

  /** Eight bytes, little-endian. */
  double(): number {
    const { buffer, byteOffset, byteLength } = this.take(8);
    return new DataView(buffer, byteOffset, byteLength).getFloat64(0, true);
  }

  private take(length: number): Uint8Array {
    const end = this.position + length;
    if (end > this.bytes.length) throw new ProtobufError(UNEXPECTED_END);
    const taken = this.bytes.subarray(this.position, end);
    this.position = end;
    return taken;
  }
}
