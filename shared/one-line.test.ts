import { expect, test } from 'vitest';
import { oneLine } from './one-line.ts';

test('what somebody else has worded is one line of at most 1000 characters, without control characters', () => {
  expect(oneLine('no\nMAINPID=1\r\u0085\u001b[31m, ä 🙂')).toBe('no MAINPID=1   [31m, ä 🙂');
  expect(oneLine('x'.repeat(1000))).toHaveLength(1000);
  expect(oneLine('x'.repeat(2_000_000))).toBe(`${'x'.repeat(1000)}...`);
});
