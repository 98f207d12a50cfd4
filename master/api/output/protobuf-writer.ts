import type { JsonValue } from '../../../shared/meta/kube-object.ts';

/** Writes the fields of one protobuf message. Absent values, empty strings and false are left out, as proto3 does. */
export class ProtobufWriter {
  private readonly chunks: Uint8Array[] = [];

  string(number: number, value: JsonValue | undefined): void {
    if (typeof value === 'string' && value !== '') this.bytes(number, Buffer.from(value));
  }

  strings(number: number, values: JsonValue | undefined): void {
    for (const value of Array.isArray(values) ? values : []) this.string(number, value);
  }

  bool(number: number, value: JsonValue | undefined): void {
    if (value === true) this.chunks.push(Buffer.from([...varint(number * 8), 1]));
  }

  /** A length-delimited field: a nested message, or bytes. */
  bytes(number: number, value: Uint8Array): void {
    this.chunks.push(Buffer.from([...varint(number * 8 + 2), ...varint(value.length)]), value);
  }

  finish(): Uint8Array {
    return Buffer.concat(this.chunks);
  }
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}
