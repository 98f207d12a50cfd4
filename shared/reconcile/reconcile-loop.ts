import type { Clock } from './clock.ts';
import type { Underway } from './underway.ts';
import { WorkQueue } from './work-queue.ts';

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
 * after `stop()` resolves nothing runs and no timer is left. Keys may be enqueued before `start()`; a stopped loop stays stopped.
 */
export class ReconcileLoop {
  readonly #options: ReconcileOptions;
  readonly #queue: WorkQueue;
  readonly #abort = new AbortController();
  readonly #workers = new Set<Promise<void>>();
  readonly #failures = new Map<string, number>();
  /** When the keys that are worked on were begun, the oldest first. */
  readonly #begunMs = new Map<string, number>();
  #working = 0;
  #started = false;

  constructor(options: ReconcileOptions) {
    this.#options = options;
    this.#queue = new WorkQueue(options.clock, () => this.#addWorker());
  }

  start(): void {
    this.#started = true;
    for (let worker = 0; worker < this.#options.concurrency; worker++) this.#addWorker();
  }

  /** Marks the key as due now; cheap, any number of times. */
  enqueue(key: string): void {
    this.#queue.add(key);
  }

  /** Marks the key as due after `delayMs`, unless it becomes due earlier. */
  enqueueAfter(key: string, delayMs: number): void {
    this.#queue.addAfter(key, delayMs);
  }

  /** The key that has been worked on longest, if any is. */
  get underway(): Underway | undefined {
    const { name, clock } = this.#options;
    for (const [key, begunMs] of this.#begunMs) {
      return { what: `${name} ${key}`.trim(), forMs: clock.monotonicMs() - begunMs };
    }
    return undefined;
  }

  /** Aborts what runs and waits for it. */
  async stop(): Promise<void> {
    this.#started = false;
    this.#abort.abort();
    this.#queue.close();
    while (this.#workers.size > 0) await Promise.all(this.#workers);
    this.#failures.clear();
  }

  #addWorker(): void {
    if (!this.#started || this.#working >= this.#options.concurrency) return;
    this.#working++;
    const worker = this.#work().finally(() => this.#workers.delete(worker));
    this.#workers.add(worker);
  }

  /**
   * Works until nothing is due. Begins a turn later, so that `enqueue` never runs a reconcile inside its caller. Nothing may be
   * awaited between the last `take` and the count: a key that falls due there would find no worker.
   */
  async #work(): Promise<void> {
    await Promise.resolve();
    for (let key = this.#queue.take(); key !== undefined; key = this.#queue.take()) {
      await this.#reconcile(key);
      this.#queue.done(key);
    }
    this.#working--;
  }

  async #reconcile(key: string): Promise<void> {
    const { signal } = this.#abort;
    this.#begunMs.set(key, this.#options.clock.monotonicMs());
    try {
      const again = await this.#options.reconcile(key, signal);
      this.#failures.delete(key);
      if (again !== undefined) this.#queue.addAfter(key, again.afterMs);
    } catch (error) {
      if (signal.aborted) return;
      const attempt = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, attempt);
      this.#options.onError(key, error, attempt);
      this.#queue.addAfter(key, this.#backoffMs(attempt));
    } finally {
      this.#begunMs.delete(key);
    }
  }

  #backoffMs(attempt: number): number {
    const { first, max } = this.#options.backoffMs;
    return Math.min(max, first * 2 ** Math.min(attempt - 1, 30));
  }
}
