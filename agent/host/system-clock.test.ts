import { describe, expect, it, vi } from 'vitest';
import { SystemClock } from './system-clock.ts';

describe('SystemClock', () => {
  it('waits out a delay longer than a timer of Node can hold', () => {
    vi.useFakeTimers();
    try {
      const called = vi.fn();
      new SystemClock().after(2 ** 31 + 5000, called);
      vi.advanceTimersByTime(2 ** 31 + 4999);
      expect(called).not.toHaveBeenCalled();
      vi.advanceTimersByTime(1);
      expect(called).toHaveBeenCalledOnce();
    } finally {
      vi.useRealTimers();
    }
  });

  it('forgets a cancelled timer', () => {
    vi.useFakeTimers();
    try {
      const called = vi.fn();
      new SystemClock().after(10, called)();
      vi.advanceTimersByTime(20);
      expect(called).not.toHaveBeenCalled();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
