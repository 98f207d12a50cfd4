import { RecentlyUsed } from '../../shared/recently-used.ts';
import type { ImageConfig, Runtime } from '../runtime/runtime.ts';

/** More than the pods of a node have at a time: an image that is about to be used is not forgotten. */
const MAX_CONFIGS = 256;

/** What is known of images, so that a start asks the engine once; pulls run one after the other, as the kubelet does by default. */
export class ImageStore {
  readonly #runtime: Runtime;
  readonly #nowMs: () => number;
  readonly #configs = new RecentlyUsed<ImageConfig | { absentSinceMs: number }>(MAX_CONFIGS);
  readonly #pulls = new Map<string, Promise<void>>();
  #lastPull: Promise<unknown> = Promise.resolve();

  constructor(runtime: Runtime, nowMs: () => number) {
    this.#runtime = runtime;
    this.#nowMs = nowMs;
  }

  known(reference: string): ImageConfig | { absentSinceMs: number } | undefined {
    return this.#configs.get(reference);
  }

  config(reference: string): ImageConfig | undefined {
    const known = this.#configs.get(reference);
    return known === undefined || 'absentSinceMs' in known ? undefined : known;
  }

  async lookUp(reference: string): Promise<void> {
    const config = await this.#runtime.imageConfig(reference);
    this.#configs.set(reference, config ?? { absentSinceMs: this.#nowMs() });
  }

  /** Shared by all who ask for the same image meanwhile. Throws RuntimeError. */
  pull(reference: string): Promise<void> {
    const running = this.#pulls.get(reference);
    if (running !== undefined) return running;
    const pull = this.#lastPull
      .then(() => this.#runtime.pullImage(reference))
      .then(() => this.lookUp(reference))
      .finally(() => this.#pulls.delete(reference));
    this.#lastPull = pull.catch(() => undefined);
    this.#pulls.set(reference, pull);
    return pull;
  }

  /** Someone may have removed it: ask again. */
  forget(reference: string): void {
    this.#configs.delete(reference);
  }
}
