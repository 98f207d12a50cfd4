import type { Part, WireDocument } from '../../shared/wire/desired-messages.ts';

/** Puts the parts of a large message together. At most one is incomplete: they travel in order, and what displaces it is newer. */
export class PartCollector {
  #message = '';
  #documents: WireDocument[] = [];
  #next = 0;

  /** The documents of all parts when this was the last one; `message` is what the parts of one message have in common. */
  add(
    message: string,
    part: Part | undefined,
    documents: readonly WireDocument[],
  ): WireDocument[] | undefined {
    if (part === undefined || part.index === 0) this.reset();
    if (part === undefined) return [...documents];
    if (part.index === 0) this.#message = message;
    if (message !== this.#message || part.index !== this.#next) {
      // A part was lost; the next hello brings everything again.
      this.reset();
      return undefined;
    }
    for (const document of documents) this.#documents.push(document);
    this.#next += 1;
    if (!part.last) return undefined;
    const whole = this.#documents;
    this.reset();
    return whole;
  }

  /** Forgets what is incomplete. */
  reset(): void {
    this.#message = '';
    this.#documents = [];
    this.#next = 0;
  }
}
