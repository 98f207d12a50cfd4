import type { Logger } from '../shared/logger.ts';
import type { Clock } from '../shared/reconcile/clock.ts';
import type { Underway } from '../shared/reconcile/underway.ts';

/**
 * Exits are told by the kernel, so reading the machine anew finds something only after a loss that nobody noticed: a container that was
 * removed by hand, an overflow of the watch. It costs one call to the engine, some 30 ms: ten minutes make that 0.005 % of a core.
 */
const RESYNC_EVERY_MS = 10 * 60_000;

export interface UpkeepParts {
  clock: Clock;
  boundLogs(): Promise<void>;
  /** Says what the node is, if that changed. */
  report(): Promise<void>;
  /** Reads anew what there is on the machine. */
  resync(): void;
  log: Logger;
}

/** What has to be done now and then. It has no timer of its own: `beat` is called where the device is awake anyway. */
export class Upkeep {
  readonly #parts: UpkeepParts;
  #resyncedMs: number;
  #busySinceMs: number | undefined;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    this.#resyncedMs = parts.clock.monotonicMs();
  }

  /** Answers at once; a beat while the last one is still at work does nothing. */
  beat(): void {
    if (this.#busySinceMs !== undefined) return;
    this.#busySinceMs = this.#parts.clock.monotonicMs();
    void this.#work().finally(() => {
      this.#busySinceMs = undefined;
    });
  }

  get underway(): Underway | undefined {
    if (this.#busySinceMs === undefined) return undefined;
    return { what: 'upkeep', forMs: this.#parts.clock.monotonicMs() - this.#busySinceMs };
  }

  async #work(): Promise<void> {
    const { clock, boundLogs, report, resync } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#resyncedMs >= RESYNC_EVERY_MS) {
      this.#resyncedMs = nowMs;
      await this.#guarded(async () => resync(), 'the machine was not read anew');
    }
    await Promise.all([
      this.#guarded(boundLogs, 'the logs could not be bounded'),
      this.#guarded(report, 'the node was not reported'),
    ]);
  }

  async #guarded(work: () => Promise<void>, failure: string): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#parts.log.warn(failure, { error: String(error) });
    }
  }
}
