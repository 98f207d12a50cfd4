import { expect, test } from 'vitest';
import { stuckWork } from './underway.ts';

test('work of up to ten minutes, and none, moves; what takes longer is named', () => {
  expect(stuckWork([])).toBeUndefined();
  expect(stuckWork([undefined, { what: 'pods a', forMs: 600_000 }])).toBeUndefined();
  expect(
    stuckWork([
      { what: 'pods a', forMs: 1 },
      { what: 'upkeep', forMs: 720_000 },
    ]),
  ).toBe('upkeep has been under way for 12 min');
});
