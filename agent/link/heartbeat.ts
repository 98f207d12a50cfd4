import type { Clock } from '../../shared/reconcile/clock.ts';

/**
 * Each is a signed frame of 147 bytes: at this interval under 1 MB a day of MQTT, where ten seconds would be 1.3 MB. Three fall into the
 * 40 s after which the master calls a node silent, so that two may be lost.
 */
const EVERY_MS = 13_000;
/** To either side, so that a fleet does not beat in step; small, or the third would come after the 40 s. */
const JITTER = 0.02;

/** Tells the master regularly that the node is there, while it is connected. */
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
