import type { Clock } from './clock.ts';

/**
 * The keys that wait for a worker: due now, due later, or held by a worker. Invariants: a key is handed out to one holder at a
 * time; a key added while it is held becomes due again when its holder is done; a key has at most one timer, its earliest.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  readonly #due = new Set<string>();
  readonly #held = new Set<string>();
  readonly #dueAgain = new Set<string>();
  readonly #later = new Map<string, { atMs: number; cancel: () => void }>();
  #closed = false;

  /** `onDue` is called whenever a key can be taken that could not be before. */
  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Due now; a timer of the same key is dropped, since its holder looks at everything anyway. */
  add(key: string): void {
    if (this.#closed) return;
    this.#cancelTimer(key);
    if (this.#held.has(key)) {
      this.#dueAgain.add(key);
      return;
    }
    if (this.#due.has(key)) return;
    this.#due.add(key);
    this.#onDue();
  }

  /** Due after `delayMs`, unless it is due already or becomes due earlier. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed || this.#due.has(key) || this.#dueAgain.has(key)) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const atMs = this.#clock.monotonicMs() + delayMs;
    const known = this.#later.get(key);
    if (known !== undefined && known.atMs <= atMs) return;
    known?.cancel();
    const cancel = this.#clock.after(delayMs, () => {
      this.#later.delete(key);
      this.add(key);
    });
    this.#later.set(key, { atMs, cancel });
  }

  /** The key that has been due longest, held from now on until `done`. */
  take(): string | undefined {
    for (const key of this.#due) {
      this.#due.delete(key);
      this.#held.add(key);
      return key;
    }
    return undefined;
  }

  done(key: string): void {
    this.#held.delete(key);
    if (this.#dueAgain.delete(key)) this.add(key);
  }

  /** Forgets everything and accepts nothing more; no timer is left. */
  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#later.values()) cancel();
    this.#later.clear();
    this.#due.clear();
    this.#dueAgain.clear();
  }

  #cancelTimer(key: string): void {
    this.#later.get(key)?.cancel();
    this.#later.delete(key);
  }
}
