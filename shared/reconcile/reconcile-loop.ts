import type { Clock } from './clock.ts';

export interface ReconcileOptions {
  /** Appears in log lines. */
  name: string;
  clock: Clock;
  /** How many keys at once; one worker per key always. */
  concurrency: number;
  /** First and largest delay after a failure; doubles in between. */
  backoffMs: { first: number; max: number };
  /**
   * Brings the key closer to what is desired. The result says when to look again without a change (undefined: never).
   * A thrown error is retried with backoff. `signal` aborts when the loop stops.
   */
  reconcile(key: string, signal: AbortSignal): Promise<{ afterMs: number } | undefined>;
  onError(key: string, error: unknown, attempt: number): void;
}

/**
 * The one loop. Invariants: a key is never reconciled by two workers at once; a key that was enqueued while it ran runs once more;
 * after `stop()` resolves nothing runs and no timer is left.
 */
export class ReconcileLoop {
  constructor(_options: ReconcileOptions) {
    throw new Error('unwritten');
  }

  start(): void {}

  /** Marks the key as due now; cheap, any number of times. */
  enqueue(_key: string): void {}

  /** Marks the key as due after `delayMs`, unless it becomes due earlier. */
  enqueueAfter(_key: string, _delayMs: number): void {}

  /** Aborts what runs and waits for it. */
  async stop(): Promise<void> {}
}
