import type { Clock } from '../../shared/reconcile/clock.ts';
import type { Membership } from './enrol.ts';

const LOOK_EVERY_MS = 24 * 60 * 60 * 1000;
const RETRY_AFTER_MS = 60 * 60 * 1000;

/** Renews the certificate while a connection lasts: the connection may outlive it, the next one would not. */
export class TimelyRenewal {
  readonly #membership: Membership;
  readonly #clock: Clock;
  readonly #onOutcome: (failure: string | undefined) => void;
  readonly #ended = new AbortController();
  #cancel = () => {};

  /** `onOutcome`: after each look, why a renewal that is due has failed; undefined where there is none, or no more. */
  constructor(parts: {
    membership: Membership;
    clock: Clock;
    onOutcome: (failure: string | undefined) => void;
  }) {
    this.#membership = parts.membership;
    this.#clock = parts.clock;
    this.#onOutcome = parts.onOutcome;
  }

  start(): void {
    // It was tried just before the connection: still due, it has failed.
    this.#lookAfter(this.#membership.renewalIsDue() ? RETRY_AFTER_MS : LOOK_EVERY_MS);
  }

  /** Gives up a renewal that is underway: the next connection begins with another. */
  stop(): void {
    this.#ended.abort();
    this.#cancel();
  }

  #lookAfter(delayMs: number): void {
    this.#cancel = this.#clock.after(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { signal } = this.#ended;
    const isDue = this.#membership.renewalIsDue();
    const failure = isDue ? await this.#membership.renew(signal) : undefined;
    if (signal.aborted) return;
    this.#onOutcome(failure);
    this.#lookAfter(failure === undefined ? LOOK_EVERY_MS : RETRY_AFTER_MS);
  }
}
