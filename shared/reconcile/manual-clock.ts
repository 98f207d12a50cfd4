import type { Clock } from './clock.ts';

/** Time that moves only when told to: for tests of everything that takes a Clock. */
export class ManualClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;
  #sequence = 0;
  readonly #timers = new Map<number, { atMs: number; callback: () => void }>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const id = this.#sequence++;
    this.#timers.set(id, { atMs: this.#monotonicMs + Math.max(0, delayMs), callback });
    return () => this.#timers.delete(id);
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer; undefined when none waits. */
  get nextInMs(): number | undefined {
    if (this.#timers.size === 0) return undefined;
    const next = Math.min(...[...this.#timers.values()].map((timer) => timer.atMs));
    return next - this.#monotonicMs;
  }

  /** Moves both clocks on and calls every timer that falls due, in order, each at its own time. */
  advance(byMs: number): void {
    const endMs = this.#monotonicMs + byMs;
    for (;;) {
      const due = [...this.#timers]
        .filter(([, timer]) => timer.atMs <= endMs)
        .sort(([idA, a], [idB, b]) => a.atMs - b.atMs || idA - idB)[0];
      if (due === undefined) break;
      this.#timers.delete(due[0]);
      this.#step(due[1].atMs - this.#monotonicMs);
      due[1].callback();
    }
    this.#step(endMs - this.#monotonicMs);
  }

  /** The wall clock jumps (a device that learns the time); durations go on undisturbed. */
  setWallClock(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  #step(byMs: number): void {
    this.#monotonicMs += byMs;
    this.#nowMs += byMs;
  }
}
