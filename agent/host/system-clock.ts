import { hrtime } from 'node:process';
import type { Clock } from '../../shared/reconcile/clock.ts';

/** setTimeout takes at most 2^31 - 1 ms and fires at once beyond it; longer delays are waited for in pieces. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The machine's own time. */
export class SystemClock implements Clock {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    // Not performance.now(): that loads ten modules of measuring, and keeps them.
    const [seconds, nanoseconds] = hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  }

  after(delayMs: number, callback: () => void): () => void {
    let timer: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      const pieceMs = Math.min(leftMs, LONGEST_TIMEOUT_MS);
      timer = setTimeout(
        () => (leftMs > pieceMs ? wait(leftMs - pieceMs) : callback()),
        Math.ceil(pieceMs),
      );
    };
    wait(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  }
}
