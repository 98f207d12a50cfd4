import { type KubeObject, type ObjectKey, objectKey } from '../../shared/meta/kube-object.ts';
import { lowerBound, prefixRange } from './sorted-keys.ts';
import type { WatchEvent } from './watch-cache.ts';

type Watcher = (events: readonly WatchEvent[]) => void;

/** The objects of one kind in key order, its last events, and who watches it. Two parallel arrays: a lookup is a binary search. */
export class CachedKind {
  readonly #keys: string[] = [];
  readonly #objects: KubeObject[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #historySize: number;
  /** The last events, oldest first, from `#first` on; what lies before is cut off in bulk. */
  #history: WatchEvent[] = [];
  #first = 0;
  #reachesBackTo: number;
  /** The whole list, until the next change. */
  #list: readonly KubeObject[] | undefined;

  constructor(historySize: number, since: number) {
    this.#historySize = historySize;
    this.#reachesBackTo = since;
  }

  /** The oldest revision after which every event is still known. */
  get reachesBackTo(): number {
    return this.#reachesBackTo;
  }

  find(key: ObjectKey): KubeObject | undefined {
    const path = pathOf(key);
    const index = lowerBound(this.#keys, path);
    return this.#keys[index] === path ? this.#objects[index] : undefined;
  }

  list(namespace: string | undefined): readonly KubeObject[] {
    if (namespace !== undefined) {
      return this.#objects.slice(...prefixRange(this.#keys, `${namespace}/`));
    }
    this.#list ??= this.#objects.slice();
    return this.#list;
  }

  /** Objects that were there before the history began; in key order this is an append. */
  load(object: KubeObject): void {
    this.put(object);
  }

  /** Returns what was there before. */
  put(object: KubeObject): KubeObject | undefined {
    const path = pathOf(objectKey(object));
    const index = lowerBound(this.#keys, path);
    this.#list = undefined;
    if (this.#keys[index] === path) {
      const previous = this.#objects[index];
      this.#objects[index] = object;
      return previous;
    }
    this.#keys.splice(index, 0, path);
    this.#objects.splice(index, 0, object);
    return undefined;
  }

  delete(key: ObjectKey): KubeObject | undefined {
    const path = pathOf(key);
    const index = lowerBound(this.#keys, path);
    if (this.#keys[index] !== path) return undefined;
    this.#list = undefined;
    this.#keys.splice(index, 1);
    return this.#objects.splice(index, 1)[0];
  }

  record(event: WatchEvent): WatchEvent {
    this.#history.push(event);
    if (this.#history.length - this.#first > this.#historySize) {
      this.#reachesBackTo = this.#history[this.#first]?.revision ?? this.#reachesBackTo;
      this.#first += 1;
    }
    // In bulk, so that an event costs no copy; the dead part stays small.
    if (this.#first > this.#historySize / 8) {
      this.#history = this.#history.slice(this.#first);
      this.#first = 0;
    }
    return event;
  }

  forgetHistory(revision: number): void {
    this.#history = [];
    this.#first = 0;
    this.#reachesBackTo = revision;
  }

  eventsAfter(revision: number): readonly WatchEvent[] {
    let low = this.#first;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#history[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#history.slice(low);
  }

  addWatcher(watcher: Watcher): () => void {
    // A wrapper of its own per call, so that one function may watch twice.
    const entry: Watcher = (events) => {
      if (this.#watchers.has(entry)) watcher(events);
    };
    this.#watchers.add(entry);
    return () => {
      this.#watchers.delete(entry);
    };
  }

  /** Who watches at this moment; whoever ends its watch meanwhile is not called any more. */
  watchersNow(): Watcher[] {
    return [...this.#watchers];
  }
}

function pathOf({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`;
}
