import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cidrContains, cidrsOverlap, parseCidr } from '../../../shared/meta/cidr.ts';
import { nextNodeCidr } from './plan.ts';

test('ranges of nodes never overlap, lie in the cluster and are used up exactly', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 16, max: 24 }),
      fc.integer({ min: 0, max: 4 }),
      (prefix, more) => {
        const cluster = { base: parseCidr('10.42.0.0/16').base, prefix };
        const given: string[] = [];
        for (
          let next = nextNodeCidr(cluster, prefix + more, given);
          next !== undefined;
          next = nextNodeCidr(cluster, prefix + more, given)
        ) {
          const cidr = parseCidr(next);
          expect(cidrContains(cluster, cidr.base)).toBe(true);
          expect(given.some((other) => cidrsOverlap(parseCidr(other), cidr))).toBe(false);
          given.push(next);
        }
        expect(given).toHaveLength(2 ** more);
      },
    ),
  );
});

test('a larger range of an older configuration is stepped over', () => {
  expect(nextNodeCidr(parseCidr('10.42.0.0/16'), 24, ['10.42.0.0/23', '172.16.0.0/24'])).toBe(
    '10.42.2.0/24',
  );
});
