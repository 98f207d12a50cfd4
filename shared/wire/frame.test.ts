import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  CHUNK_BYTES,
  decodeFrame,
  encodeMessage,
  FrameError,
  type FrameWriter,
  type MessageHeader,
} from './frame.ts';
import { MessageAssembler } from './message-assembler.ts';
import { MAX_MESSAGE_BYTES } from './topics.ts';

/** Not a signature, but it depends on every byte. */
function checksum(bytes: Uint8Array): Uint8Array {
  const sum = new Uint8Array(64);
  bytes.forEach((byte, i) => {
    sum[i % 64] = ((sum[i % 64] ?? 0) * 31 + byte + i) & 0xff;
  });
  return sum;
}

const WRITER: FrameWriter = { sign: checksum };
const ADDRESS = { cluster: 'c', node: 'n', leaf: 'd' } as const;
const HEADER: MessageHeader = {
  kind: 'delta',
  session: '1.1',
  epoch: 0,
  term: 0,
  generation: 4,
  sequence: 1,
};

function verify(signed: Uint8Array, signature: Uint8Array): boolean {
  return checksum(signed).every((byte, i) => byte === signature[i]);
}

function assembler(maxBodyBytes = 1_000_000): MessageAssembler {
  return new MessageAssembler({ inflate: (bytes) => bytes, maxBodyBytes });
}

test('a message of any size comes back whole, whatever the order and repetition of its chunks', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 3 * CHUNK_BYTES + 5 }),
      fc.infiniteStream(fc.nat({ max: 1000 })),
      (size, random) => {
        const body = new Uint8Array(size).map((_, i) => i % 251);
        const frames = encodeMessage(ADDRESS, HEADER, body, WRITER);
        for (const frame of frames) expect(frame.length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
        const order = [...frames.slice(1), ...frames].sort(() => (random.next().value ?? 0) - 500);
        const target = assembler();
        const messages = order
          .map((frame) => target.add(decodeFrame(ADDRESS, frame, verify)))
          .filter((message) => message !== undefined);
        expect(messages.length).toBeGreaterThan(0);
        expect(messages[0]?.header).toEqual(HEADER);
        expect(Buffer.compare(messages[0]!.body, body)).toBe(0);
      },
    ),
    { numRuns: 20 },
  );
});

test('a frame with any byte changed is refused', () => {
  const [frame] = encodeMessage(ADDRESS, HEADER, new Uint8Array([1, 2, 3]), WRITER);
  for (let i = 0; i < frame!.length; i++) {
    const changed = frame!.slice();
    changed[i] = (changed[i] ?? 0) ^ 1;
    expect(() => decodeFrame(ADDRESS, changed, verify)).toThrow(FrameError);
  }
});

test('a frame of another topic is refused', () => {
  const [frame] = encodeMessage(ADDRESS, HEADER, new Uint8Array(), WRITER);
  expect(() => decodeFrame({ ...ADDRESS, leaf: 'st' }, frame!, verify)).toThrow('signature');
});

test('a frame of an unknown version says so before anything else is looked at', () => {
  expect(() => decodeFrame(ADDRESS, new Uint8Array([9, 9, 9]), verify)).toThrow(
    'message version 9 is not known here; this release speaks version 1',
  );
});

test('a newer message displaces an incomplete one', () => {
  const target = assembler();
  const [first] = encodeMessage(ADDRESS, HEADER, new Uint8Array(CHUNK_BYTES + 1), WRITER);
  expect(target.add(decodeFrame(ADDRESS, first!, verify))).toBeUndefined();
  const next = encodeMessage(
    ADDRESS,
    { ...HEADER, sequence: 2 },
    new Uint8Array(CHUNK_BYTES + 1),
    WRITER,
  );
  const messages = next.map((frame) => target.add(decodeFrame(ADDRESS, frame, verify)));
  expect(messages[1]?.header.sequence).toBe(2);
});

test('a message with too many chunks is refused at its first one', () => {
  const [first] = encodeMessage(ADDRESS, HEADER, new Uint8Array(3 * CHUNK_BYTES), WRITER);
  expect(() => assembler(CHUNK_BYTES).add(decodeFrame(ADDRESS, first!, verify))).toThrow(
    'too large',
  );
});
