import { type KubeObject, type ObjectKey, objectKey } from '../../shared/meta/kube-object.ts';
import { lowerBound, prefixRange } from './sorted-keys.ts';
import type { WatchEvent } from './watch-cache.ts';

/** How far a history goes; whichever is reached first. */
export interface HistoryBounds {
  events: number;
  /** Of the objects as they are stored; the newest few events stay however large they are. */
  bytes: number;
}

const EVENTS_KEPT_ANYWAY = 8;

type Watcher = (events: readonly WatchEvent[]) => void;

/** The objects of one kind in key order, its last events, and who watches it. Parallel arrays: a lookup is a binary search. */
export class CachedKind {
  readonly #keys: string[] = [];
  readonly #objects: KubeObject[] = [];
  /** How large each object is as it is stored. */
  readonly #sizes: number[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #bounds: HistoryBounds;
  /** The last events, oldest first, from `#first` on, and their bytes; what lies before is cut off in bulk. */
  #history: WatchEvent[] = [];
  #historySizes: number[] = [];
  #first = 0;
  #historyBytes = 0;
  #cutBytes = 0;
  #reachesBackTo: number;
  /** The whole list, until the next change. */
  #list: readonly KubeObject[] | undefined;

  constructor(bounds: HistoryBounds, since: number) {
    this.#bounds = bounds;
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
  load(object: KubeObject, bytes: number): void {
    this.put(object, bytes);
  }

  /** Returns what was there before. */
  put(object: KubeObject, bytes: number): KubeObject | undefined {
    const path = pathOf(objectKey(object));
    const index = lowerBound(this.#keys, path);
    this.#list = undefined;
    if (this.#keys[index] === path) {
      const previous = this.#objects[index];
      this.#objects[index] = object;
      this.#sizes[index] = bytes;
      return previous;
    }
    this.#keys.splice(index, 0, path);
    this.#objects.splice(index, 0, object);
    this.#sizes.splice(index, 0, bytes);
    return undefined;
  }

  delete(key: ObjectKey): { object: KubeObject; bytes: number } | undefined {
    const path = pathOf(key);
    const index = lowerBound(this.#keys, path);
    if (this.#keys[index] !== path) return undefined;
    this.#list = undefined;
    this.#keys.splice(index, 1);
    const [object] = this.#objects.splice(index, 1);
    const [bytes = 0] = this.#sizes.splice(index, 1);
    return object && { object, bytes };
  }

  /** `bytes`: of the event's object as it is stored. */
  record(event: WatchEvent, bytes: number): WatchEvent {
    this.#history.push(event);
    this.#historySizes.push(bytes);
    this.#historyBytes += bytes;
    while (this.#isTooLong()) this.#dropOldest();
    // In bulk, so that an event costs no copy; the dead part stays small.
    if (
      this.#first > this.#bounds.events / 8 ||
      (this.#first > 0 && this.#cutBytes > this.#bounds.bytes / 8)
    ) {
      this.#history = this.#history.slice(this.#first);
      this.#historySizes = this.#historySizes.slice(this.#first);
      this.#first = 0;
      this.#cutBytes = 0;
    }
    return event;
  }

  #isTooLong(): boolean {
    const events = this.#history.length - this.#first;
    return (
      events > this.#bounds.events ||
      (events > EVENTS_KEPT_ANYWAY && this.#historyBytes > this.#bounds.bytes)
    );
  }

  #dropOldest(): void {
    const bytes = this.#historySizes[this.#first] ?? 0;
    this.#reachesBackTo = this.#history[this.#first]?.revision ?? this.#reachesBackTo;
    this.#first += 1;
    this.#historyBytes -= bytes;
    this.#cutBytes += bytes;
  }

  forgetHistory(revision: number): void {
    this.#history = [];
    this.#historySizes = [];
    this.#first = 0;
    this.#historyBytes = 0;
    this.#cutBytes = 0;
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
