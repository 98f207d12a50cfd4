/** Delays with full jitter: anywhere between a tenth of a second and a ceiling that doubles from `firstMs` to `maxMs`. */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #failures = 0;

  /** `random` answers numbers in [0, 1). */
  constructor(options: { firstMs: number; maxMs: number; random: () => number }) {
    this.#firstMs = options.firstMs;
    this.#maxMs = options.maxMs;
    this.#random = options.random;
  }

  reset(): void {
    this.#failures = 0;
  }

  nextMs(): number {
    const ceilingMs = Math.min(this.#maxMs, this.#firstMs * 2 ** Math.min(this.#failures, 20));
    this.#failures += 1;
    return Math.max(100, Math.round(this.#random() * ceilingMs));
  }
}
