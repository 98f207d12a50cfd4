import { expect, test } from 'vitest';
import { durationMs, secondsAsMs, wholeNumber } from './option-values.ts';

test.each([
  ['30s', 30_000],
  ['10m', 600_000],
  ['24h', 86_400_000],
  ['7d', 604_800_000],
])('%s is a duration', (text, expected) => {
  expect(durationMs('--ttl', text)).toBe(expected);
});

test.each(['', '0s', '10', 'h', '-1h', '1.5h', '1w', '1h30m', '99999999999d'])(
  '"%s" is none',
  (text) => {
    expect(() => durationMs('--ttl', text)).toThrow(
      `--ttl ${text}: expected a duration such as 30s, 10m, 24h or 7d`,
    );
  },
);

test('seconds may have a fraction', () => {
  expect(secondsAsMs('--wait', '1.5', 1)).toBe(1500);
  expect(secondsAsMs('--timeout', '0', 0)).toBe(0);
});

test.each(['0', '-5', 'x', '', 'Infinity', '0x10'])('"%s" seconds are refused', (text) => {
  expect(() => secondsAsMs('--wait', text, 1)).toThrow('expected a number of seconds, 1 or more');
});

test.each(['', '1.5', '-1', ' 7', '0', '99999999999999999999'])(
  '"%s" is no whole number from 1',
  (text) => {
    expect(() => wholeNumber('--uses', text, 1)).toThrow('expected a whole number, 1 or more');
  },
);
