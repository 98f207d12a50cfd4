import type { JsonObject } from '../../../shared/meta/kube-object.ts';
import type { AgentState, DesiredDocument } from '../../state/agent-state.ts';

/** A saved state that is not on a disk: desired documents alone. */
export class MemoryState implements AgentState {
  readonly isKnown = true;
  readonly #documents = new Map<string, DesiredDocument>();
  readonly #listeners = new Set<(keys: readonly string[]) => void>();
  #version = 0;

  /** null removes. */
  save(documents: Record<string, JsonObject | null>): void {
    for (const [key, object] of Object.entries(documents)) {
      this.#version += 1;
      if (object === null) this.#documents.delete(key);
      else this.#documents.set(key, { key, version: String(this.#version), object });
    }
    for (const listener of this.#listeners) listener(Object.keys(documents));
  }

  get(key: string): DesiredDocument | undefined {
    return this.#documents.get(key);
  }

  list(prefix: string): DesiredDocument[] {
    return [...this.#documents.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .sort((left, right) => (left.key < right.key ? -1 : 1));
  }

  subscribe(listener: (keys: readonly string[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  podRecord(): undefined {
    return undefined;
  }

  async savePodRecord(): Promise<void> {}
}
