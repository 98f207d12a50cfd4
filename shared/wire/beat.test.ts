import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { beatChain, checkBeat, encodeBeat } from './beat.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
const address = { cluster: 'c', node: 'a' };
const [secret = new Uint8Array(), first = new Uint8Array(), anchor = new Uint8Array()] = beatChain(
  address,
  randomBytes(16),
  sha256,
);
const check = (bytes: Uint8Array, after = 0, at = address) =>
  checkBeat(at, bytes, { anchor, after }, sha256);

test('each beat counts once and in order, also after one that was lost', () => {
  expect(check(encodeBeat(1, first))).toBe(1);
  expect(check(encodeBeat(2, secret), 1)).toBe(2);
  expect(check(encodeBeat(2, secret))).toBe(2);
  expect(() => check(encodeBeat(1, first), 1)).toThrow('seen before');
  expect(() => check(encodeBeat(1, first), 2)).toThrow('seen before');
});

test('a beat is 18 bytes, and of its own chain, node and cluster', () => {
  expect(encodeBeat(1, first)).toHaveLength(18);
  expect(() => check(encodeBeat(1, randomBytes(16)))).toThrow('does not belong');
  expect(() => check(encodeBeat(2, first))).toThrow('does not belong');
  expect(() => check(encodeBeat(1, first), 0, { ...address, node: 'b' })).toThrow('not belong');
  expect(() => check(encodeBeat(1, first), 0, { ...address, cluster: 'd' })).toThrow('not belong');
  for (const place of [0, 3, 255]) {
    expect(() => check(encodeBeat(place, first))).toThrow('not well-formed');
  }
  expect(() => check(encodeBeat(1, first).subarray(0, 9))).toThrow('not well-formed');
});
