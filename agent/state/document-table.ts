import type { WireDocument } from '../../shared/wire/desired-messages.ts';

/** Documents by key, apart for each kind (`services/`, `pods/`, …): a list of the few pods does not look at thousands of slices. */
export class DocumentTable {
  readonly #kinds = new Map<string, Map<string, WireDocument>>();

  get(key: string): WireDocument | undefined {
    return this.#kinds.get(kindOf(key))?.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  put(document: WireDocument): void {
    const kind = kindOf(document.key);
    const known = this.#kinds.get(kind);
    if (known === undefined) this.#kinds.set(kind, new Map([[document.key, document]]));
    else known.set(document.key, document);
  }

  delete(key: string): void {
    this.#kinds.get(kindOf(key))?.delete(key);
  }

  *values(): Iterable<WireDocument> {
    for (const documents of this.#kinds.values()) yield* documents.values();
  }

  /** In no order. */
  keysWith(prefix: string): string[] {
    const kinds = prefix.includes('/')
      ? [this.#kinds.get(kindOf(prefix)) ?? new Map<string, WireDocument>()]
      : [...this.#kinds.values()];
    return kinds.flatMap((documents) =>
      [...documents.keys()].filter((key) => key.startsWith(prefix)),
    );
  }
}

function kindOf(key: string): string {
  return key.slice(0, key.indexOf('/') + 1);
}
