import { lowerBound, prefixRange } from './sorted-keys.ts';

/** Records by key, listed in key order: the index from which stores answer reads. */
export class RecordTable<V> {
  #records = new Map<string, V>();
  #keys: string[] = [];

  get size(): number {
    return this.#records.size;
  }

  get(key: string): V | undefined {
    return this.#records.get(key);
  }

  /** Takes all entries at once, sorted or not; what was there before is dropped. */
  load(entries: Iterable<[key: string, record: V]>): void {
    this.#records = new Map(entries);
    this.#keys = [...this.#records.keys()].sort();
  }

  put(key: string, record: V): void {
    if (!this.#records.has(key)) this.#keys.splice(lowerBound(this.#keys, key), 0, key);
    this.#records.set(key, record);
  }

  delete(key: string): void {
    if (this.#records.delete(key)) this.#keys.splice(lowerBound(this.#keys, key), 1);
  }

  /** The keys under a prefix, in order. */
  keys(prefix: string): string[] {
    return this.#keys.slice(...prefixRange(this.#keys, prefix));
  }
}
