import type { Duplex } from 'node:stream';

export interface PacketLimits {
  /** The largest first packet (CONNECT with its will), by anybody who reaches the port. */
  connectBytes: number;
  /** The largest packet after it. */
  packetBytes: number;
}

/**
 * Follows the fixed headers of a connection's MQTT packets (MQTT 3.1.1, 2.2.3) and ends the connection at the first one that
 * announces more than its limit, before its content is gathered in memory. Reads through, changes nothing.
 */
export function guardPacketSizes(
  connection: Duplex,
  limits: PacketLimits,
  onExcess: (bytes: number) => void,
): void {
  const scanner = new PacketScanner(limits);
  const read = connection.read.bind(connection);
  connection.read = (size?: number) => {
    const chunk = read(size) as Buffer | null;
    const excess = chunk === null ? undefined : scanner.scan(chunk);
    if (excess === undefined) return chunk;
    onExcess(excess);
    connection.destroy();
    return null;
  };
}

class PacketScanner {
  readonly #limits: PacketLimits;
  #isFirst = true;
  /** Of the packet under way. */
  #bodyLeft = 0;
  /** The length so far, while its up to four bytes come in; undefined between packets. */
  #length: { value: number; factor: number } | undefined;

  constructor(limits: PacketLimits) {
    this.#limits = limits;
  }

  /** The announced size of a packet that is too large; undefined while all is well. */
  scan(chunk: Buffer): number | undefined {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#bodyLeft > 0) {
        const step = Math.min(this.#bodyLeft, chunk.length - offset);
        this.#bodyLeft -= step;
        offset += step;
        continue;
      }
      const excess = this.#header(chunk[offset++] ?? 0);
      if (excess !== undefined) return excess;
    }
    return undefined;
  }

  #header(byte: number): number | undefined {
    if (this.#length === undefined) {
      this.#length = { value: 0, factor: 1 };
      return undefined;
    }
    const length = this.#length;
    length.value += (byte & 0x7f) * length.factor;
    length.factor *= 128;
    const limit = this.#isFirst ? this.#limits.connectBytes : this.#limits.packetBytes;
    if (length.value > limit) return length.value;
    if ((byte & 0x80) !== 0) return length.factor > 128 ** 4 ? Number.POSITIVE_INFINITY : undefined;
    this.#length = undefined;
    this.#isFirst = false;
    this.#bodyLeft = length.value;
    return undefined;
  }
}
