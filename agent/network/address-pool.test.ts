import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCidr } from '../../shared/meta/cidr.ts';
import { pickAddress } from './address-pool.ts';

const cidr = parseCidr('10.42.7.0/29');

test('a wanted address that is free is given', () => {
  expect(pickAddress(cidr, new Set(['10.42.7.2']), '10.42.7.5', '10.42.7.2')).toBe('10.42.7.5');
});

test('a wanted address that is taken or outside the range is replaced', () => {
  expect(pickAddress(cidr, new Set(['10.42.7.5']), '10.42.7.5', undefined)).toBe('10.42.7.2');
  expect(pickAddress(cidr, new Set(), '10.42.8.2', undefined)).toBe('10.42.7.2');
});

test('an address just given back is not met again at once', () => {
  expect(pickAddress(cidr, new Set(), undefined, '10.42.7.3')).toBe('10.42.7.4');
  expect(pickAddress(cidr, new Set(), undefined, '10.42.7.6')).toBe('10.42.7.2');
});

test('every usable address is given exactly once, then none', () => {
  fc.assert(
    fc.property(fc.integer({ min: 24, max: 30 }), fc.option(fc.ipV4()), (prefix, last) => {
      const range = { base: parseCidr('10.9.8.0/24').base, prefix };
      const used = new Set<string>();
      for (
        let address = pickAddress(range, used, undefined, last ?? undefined);
        address !== undefined;
      ) {
        expect(used.has(address)).toBe(false);
        used.add(address);
        address = pickAddress(range, used, undefined, address);
      }
      expect(used.size).toBe(2 ** (32 - prefix) - 3);
    }),
  );
});
