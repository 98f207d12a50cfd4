import { expect, it } from 'vitest';
import { RecentlyUsed } from './recently-used.ts';

it('what was not asked for the longest goes first', () => {
  const kept = new RecentlyUsed<number>(2);
  kept.set('a', 1);
  kept.set('b', 2);
  expect(kept.get('a')).toBe(1);
  kept.set('c', 3);
  expect(kept.get('b')).toBeUndefined();
  expect(kept.get('a')).toBe(1);
  kept.set('a', 4);
  kept.set('d', 5);
  expect([kept.get('c'), kept.get('a'), kept.get('d')]).toEqual([undefined, 4, 5]);
  kept.delete('a');
  expect(kept.get('a')).toBeUndefined();
});
