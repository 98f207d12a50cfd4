import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { guardPacketSizes } from './packet-size-guard.ts';

const LIMITS = { connectBytes: 20, packetBytes: 300 };

function packet(size: number): Buffer {
  const length: number[] = [];
  let rest = size;
  do {
    length.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from([0x30, ...length, ...Buffer.alloc(size, 0xff)]);
}

/** What a reader gets of these bytes, cut into pieces; and the size that was too much. */
function readThrough(
  bytes: Buffer,
  pieceBytes: number,
): { read: Buffer; excess: number | undefined } {
  const connection = new PassThrough({ highWaterMark: 1 << 20 });
  connection.on('error', () => {});
  let excess: number | undefined;
  guardPacketSizes(connection, LIMITS, (size) => {
    excess = size;
  });
  const read: Buffer[] = [];
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    connection.write(bytes.subarray(from, from + pieceBytes));
    const chunk = connection.read() as Buffer | null;
    if (chunk === null) break;
    read.push(chunk);
  }
  expect(connection.destroyed).toBe(excess !== undefined);
  return { read: Buffer.concat(read), excess };
}

test('packets within the limits pass unchanged, in whatever pieces they come', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 20 }),
      fc.array(fc.nat({ max: 300 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 700 }),
      (first, sizes, pieceBytes) => {
        const bytes = Buffer.concat([first, ...sizes].map(packet));
        expect(readThrough(bytes, pieceBytes)).toEqual({ read: bytes, excess: undefined });
      },
    ),
  );
});

test('a packet above its limit ends the connection at its header, in whatever pieces it comes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 300 }), { maxLength: 4 }),
      fc.integer({ min: 301, max: 5000 }),
      fc.integer({ min: 1, max: 700 }),
      (sizes, tooLarge, pieceBytes) => {
        const before = Buffer.concat([5, ...sizes].map(packet));
        const { read, excess } = readThrough(Buffer.concat([before, packet(tooLarge)]), pieceBytes);
        expect(excess).toBeGreaterThan(300);
        expect(read.length).toBeLessThanOrEqual(before.length + 3);
      },
    ),
  );
});

test('the first packet has the lower limit', () => {
  expect(readThrough(packet(21), 7).excess).toBe(21);
});
