import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ageOf,
  formatIsoTime,
  formatMicroTime,
  formatTime,
  humanDuration,
  parseTime,
} from './time.ts';

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

describe('an ISO time', () => {
  it('is as Date writes it', () => {
    const time = fc.date({
      min: new Date('0000-01-01T00:00:00.000Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(time, (date) => {
        expect(formatIsoTime(date.getTime())).toBe(date.toISOString());
      }),
    );
  });

  it.each([
    '1969-12-31T23:59:59.999Z',
    '1970-01-01T00:00:00.000Z',
    '1900-03-01T00:00:00.000Z',
    '2000-02-29T12:00:00.000Z',
    '2024-02-29T23:59:59.999Z',
    '2026-12-31T23:59:59.999Z',
  ])('has the leap days of the Gregorian calendar: %s', (text) => {
    expect(formatIsoTime(Date.parse(text))).toBe(text);
  });

  it('leaves parts of a millisecond out, as Date does', () => {
    expect(formatIsoTime(1.9)).toBe(new Date(1.9).toISOString());
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1e15, 1e15])('is not made of %s', (ms) => {
    expect(() => formatIsoTime(ms)).toThrow(RangeError);
  });
});
