import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  cidrContains,
  cidrSize,
  cidrsOverlap,
  formatCidr,
  formatIpv4,
  parseCidr,
  parseIpv4,
} from './cidr.ts';

test('an address survives parsing and printing', () => {
  fc.assert(fc.property(fc.ipV4(), (text) => formatIpv4(parseIpv4(text)) === text));
});

test.each(['', '1.2.3', '1.2.3.256', '01.2.3.4', '1.2.3.4.5', 'a.b.c.d', '1.2.3.-4'])(
  '%j is no address',
  (text) => {
    expect(() => parseIpv4(text)).toThrow(RangeError);
  },
);

test.each(['10.42.0.0', '10.42.0.1/16', '10.42.0.0/33', '10.42.0.0/16/1', '/16'])(
  '%j is no range',
  (text) => {
    expect(() => parseCidr(text)).toThrow(RangeError);
  },
);

test('a range contains its first and last address and nothing beyond', () => {
  const cidr = parseCidr('10.42.3.0/24');
  expect(formatCidr(cidr)).toBe('10.42.3.0/24');
  expect(cidrSize(cidr)).toBe(256);
  expect(cidrContains(cidr, parseIpv4('10.42.3.255'))).toBe(true);
  expect(cidrContains(cidr, parseIpv4('10.42.4.0'))).toBe(false);
  expect(cidrsOverlap(cidr, parseCidr('10.42.0.0/16'))).toBe(true);
  expect(cidrsOverlap(cidr, parseCidr('10.43.0.0/16'))).toBe(false);
});
