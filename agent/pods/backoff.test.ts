import { describe, expect, it } from 'vitest';
import { backoffLeftMs, goDuration, nextBackoff } from './backoff.ts';

describe('backoff', () => {
  it('doubles from 10 s to 5 min', () => {
    const delays: number[] = [];
    let entry = nextBackoff(undefined, 0, 0);
    for (let i = 0; i < 7; i++) {
      delays.push(entry.delayMs / 1000);
      entry = nextBackoff(entry, 0, 0);
    }
    expect(delays).toEqual([10, 20, 40, 80, 160, 300, 300]);
  });

  it('begins anew after ten minutes without a failure', () => {
    const entry = { delayMs: 300_000, updatedAtMs: 0 };
    expect(backoffLeftMs(entry, 600_000, 600_000)).toBe(300_000);
    expect(backoffLeftMs(entry, 600_001, 600_001)).toBe(0);
    expect(nextBackoff(entry, 600_001, 600_001).delayMs).toBe(10_000);
  });

  it('never waits longer than its delay, also when the clock went back', () => {
    expect(backoffLeftMs({ delayMs: 10_000, updatedAtMs: 0 }, 5_000, 1_000)).toBe(10_000);
  });

  it('is printed as Go prints durations', () => {
    expect([10_000, 80_000, 300_000, 3_600_000].map(goDuration)).toEqual([
      '10s',
      '1m20s',
      '5m0s',
      '1h0m0s',
    ]);
  });
});
