import type { Clock } from '../../shared/reconcile/clock.ts';

const EVERY_MS = 10_000;
/** A tenth to either side, so that a fleet does not beat in step. */
const JITTER = 0.1;

/** Tells the master every ten seconds that the node is there, while it is connected. */
export class Heartbeat {
  readonly #beat: () => void;
  readonly #clock: Clock;
  readonly #random: () => number;
  #cancel = () => {};

  constructor(parts: { beat: () => void; clock: Clock; random: () => number }) {
    this.#beat = parts.beat;
    this.#clock = parts.clock;
    this.#random = parts.random;
  }

  /** Beats at once, then on. */
  start(): void {
    this.#beat();
    const delayMs = EVERY_MS * (1 - JITTER + 2 * JITTER * this.#random());
    this.#cancel = this.#clock.after(delayMs, () => this.start());
  }

  stop(): void {
    this.#cancel();
  }
}
