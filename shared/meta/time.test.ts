import { describe, expect, it } from 'vitest';
import { ageOf, formatMicroTime, formatTime, humanDuration, parseTime } from './time.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('a duration for people', () => {
  it.each([
    [-5 * SECOND, '<invalid>'],
    [-1 * SECOND, '0s'],
    [0, '0s'],
    [999, '0s'],
    [119 * SECOND, '119s'],
    [2 * MINUTE, '2m'],
    [3 * MINUTE + 12 * SECOND, '3m12s'],
    [10 * MINUTE + 5 * SECOND, '10m'],
    [179 * MINUTE, '179m'],
    [3 * HOUR, '3h'],
    [7 * HOUR + 59 * MINUTE, '7h59m'],
    [8 * HOUR + 30 * MINUTE, '8h'],
    [47 * HOUR, '47h'],
    [48 * HOUR, '2d'],
    [4 * DAY + 3 * HOUR, '4d3h'],
    [8 * DAY + 3 * HOUR, '8d'],
    [729 * DAY, '729d'],
    [730 * DAY, '2y'],
    [800 * DAY, '2y70d'],
    [3000 * DAY, '8y'],
  ])('%d ms is %s', (ms, text) => {
    expect(humanDuration(ms)).toBe(text);
  });
});

describe('times', () => {
  const ms = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

  it('go over the wire in whole seconds or in microseconds', () => {
    expect(formatTime(ms)).toBe('2026-01-02T03:04:05Z');
    expect(formatMicroTime(ms)).toBe('2026-01-02T03:04:05.678000Z');
  });

  it('come back', () => {
    expect(parseTime('2026-01-02T03:04:05Z')).toBe(ms - 678);
    expect(parseTime('2026-01-02T03:04:05.678000Z')).toBe(ms);
    expect(parseTime('')).toBeUndefined();
    expect(parseTime('yesterday')).toBeUndefined();
  });

  it('have an unknown age when there is none', () => {
    expect(ageOf(undefined, ms)).toBe('<unknown>');
    expect(ageOf('', ms)).toBe('<unknown>');
    expect(ageOf(formatTime(ms - 30 * SECOND), ms)).toBe('30s');
  });
});
