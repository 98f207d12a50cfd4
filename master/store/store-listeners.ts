import type { StoreEvent } from './store.ts';

type Listener = (events: readonly StoreEvent[]) => void;

/** Who watches a store. Publishing never nests, because stores publish from their own queue only. */
export class StoreListeners {
  readonly #listeners = new Set<Listener>();

  add(listener: Listener): () => void {
    // A wrapper of its own per call, so that one function may watch twice.
    const entry: Listener = (events) => listener(events);
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  publish(events: readonly StoreEvent[]): void {
    if (events.length === 0) return;
    for (const listener of [...this.#listeners]) listener(events);
  }
}
