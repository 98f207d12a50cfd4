import { expired } from '../../shared/errors.ts';
import type { KubeObject, ObjectKey } from '../../shared/meta/kube-object.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import { CachedKind, type HistoryBounds } from './cached-kind.ts';
import { damaged } from './damaged.ts';
import { kindPrefix, parseObjectPath } from './object-path.ts';
import { epochOf } from './revision.ts';
import type { Store, StoreEvent } from './store.ts';

/** One change of one object. `json` is serialised once and shared by all watchers. */
export interface WatchEvent<T extends KubeObject = KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** For DELETED the last state, with the revision of the deletion as its resourceVersion. */
  object: T;
  /** What it was before, so that a selector can tell "left the selection" from "changed within it". */
  previous: T | undefined;
  revision: number;
  json(): Buffer;
}

/** A consistent picture of one kind. */
export interface Snapshot<T extends KubeObject = KubeObject> {
  revision: number;
  /** In key order (namespace, then name). */
  objects: readonly T[];
}

export interface WatchCacheOptions {
  /** How many events of each kind are kept; 1,000 when absent. */
  historySize?: number;
  /** How many bytes of objects, as they are stored, the events of each kind may hold; 8 MiB when absent. The newest few stay anyway. */
  historyBytes?: number;
  /** Freezes every object in depth, so that tests find whoever changes one. */
  freeze?: boolean;
  /** Told of a watcher that threw; the others go on. Absent: the error is thrown from a microtask. */
  onWatcherError?: (error: unknown) => void;
}

/**
 * Every object of every kind, parsed once, with the last events of each kind. Invariant: a watcher sees each event after its start
 * revision exactly once and in revision order, or an Expired error.
 */
export class WatchCache {
  readonly #kinds = new Map<string, CachedKind>();
  readonly #json = new WeakMap<KubeObject, Buffer>();
  readonly #bounds: HistoryBounds;
  readonly #freeze: boolean;
  readonly #onWatcherError: (error: unknown) => void;
  #revision = 0;
  /** Where the knowledge of this cache begins: the histories reach back no further. */
  #since = 0;

  constructor(options: WatchCacheOptions = {}) {
    this.#bounds = {
      events: options.historySize ?? 1000,
      bytes: options.historyBytes ?? 8 * 2 ** 20,
    };
    this.#freeze = options.freeze ?? false;
    this.#onWatcherError = options.onWatcherError ?? throwLater;
  }

  /**
   * Loads all objects under /registry/ and follows the store from then on; every event is visible here when the promise of its
   * write resolves. The returned function ends that. Throws with one sentence where a record is no object.
   */
  async follow(store: Store): Promise<() => void> {
    let early: StoreEvent[] | undefined = [];
    const stop = store.watch((events) => {
      if (early) early.push(...events);
      else this.#apply(events);
    });
    const { revision, records } = await store.list('/registry/');
    this.#revision = revision;
    this.#since = revision;
    for (const { key, value } of records) {
      try {
        this.#kindAt(key)?.load(this.#parse(value), value.length);
      } catch (error) {
        throw damaged(store.path ?? 'the store', `${key} is no object`, error);
      }
    }
    const missed = early.filter((event) => event.revision > revision);
    early = undefined;
    this.#apply(missed);
    return stop;
  }

  /** After the store raised its epoch: what came before is no history any more. */
  advanceTo(revision: number): void {
    if (epochOf(revision) <= epochOf(this.#revision)) return;
    this.#forgetHistory(revision);
    this.#revision = revision;
  }

  /** The newest revision that the cache shows. */
  revision(): number {
    return this.#revision;
  }

  find<T extends KubeObject>(kind: ResourceKind<T>, key: ObjectKey): T | undefined {
    return this.#kind(kind).find(key) as T | undefined;
  }

  snapshot<T extends KubeObject>(kind: ResourceKind<T>, namespace?: string): Snapshot<T> {
    const objects = this.#kind(kind).list(namespace) as readonly T[];
    return { revision: this.#revision, objects };
  }

  /** The serialised object, made at most once per revision. */
  json(_kind: ResourceKind, object: KubeObject): Buffer {
    return this.#jsonOf(object);
  }

  /**
   * Events after `afterRevision` (undefined: from now on), first those of the history in one call, later as they come. Throws Expired when the
   * history does not reach back. The returned function ends the watch.
   */
  watch<T extends KubeObject>(
    kind: ResourceKind<T>,
    afterRevision: number | undefined,
    listener: (events: readonly WatchEvent<T>[]) => void,
  ): () => void {
    const cached = this.#kind(kind);
    const after = afterRevision ?? this.#revision;
    // A revision of the future comes from a time before a restore: its events will never come.
    if (after < cached.reachesBackTo || after > this.#revision || this.#isOfLostTime(after)) {
      throw expired(`too old resource version: ${after} (${cached.reachesBackTo})`);
    }
    const missed = cached.eventsAfter(after);
    const stop = cached.addWatcher(listener as (events: readonly WatchEvent[]) => void);
    if (missed.length > 0) listener(missed as unknown as readonly WatchEvent<T>[]);
    return stop;
  }

  #isOfLostTime(revision: number): boolean {
    return epochOf(revision) < epochOf(this.#revision);
  }

  #apply(events: readonly StoreEvent[]): void {
    const changes = new Map<CachedKind, WatchEvent[]>();
    for (const event of events) {
      this.advanceTo(event.revision - 1);
      this.#revision = event.revision;
      const path = event.kind === 'put' ? event.record.key : event.key;
      const kind = this.#kindAt(path);
      const change = kind && this.#change(kind, event, path);
      if (!change) continue;
      const known = changes.get(kind);
      if (known) known.push(change);
      else changes.set(kind, [change]);
    }
    // Only now, so that every watcher finds the whole of what happened in the cache.
    for (const [kind, announced] of changes) {
      for (const watcher of kind.watchersNow()) this.#announce(watcher, announced);
    }
  }

  #change(kind: CachedKind, event: StoreEvent, path: string): WatchEvent | undefined {
    if (event.kind === 'put') {
      const { value } = event.record;
      const object = this.#parse(value);
      const previous = kind.put(object, value.length);
      const type = previous ? 'MODIFIED' : 'ADDED';
      return kind.record(this.#event(type, object, previous, event), value.length);
    }
    const parsed = parseObjectPath(path);
    const removed = parsed && kind.delete(parsed);
    if (!removed) return undefined;
    const { object: previous, bytes } = removed;
    const metadata = { ...previous.metadata, resourceVersion: String(event.revision) };
    const last = this.#frozen({ ...previous, metadata });
    return kind.record(this.#event('DELETED', last, previous, event), bytes);
  }

  #event(
    type: WatchEvent['type'],
    object: KubeObject,
    previous: KubeObject | undefined,
    { revision }: StoreEvent,
  ): WatchEvent {
    return { type, object, previous, revision, json: () => this.#jsonOf(object) };
  }

  #announce(watcher: (events: readonly WatchEvent[]) => void, events: readonly WatchEvent[]): void {
    try {
      watcher(events);
    } catch (error) {
      this.#onWatcherError(error);
    }
  }

  #forgetHistory(revision: number): void {
    this.#since = revision;
    for (const kind of this.#kinds.values()) kind.forgetHistory(revision);
  }

  #kindAt(path: string): CachedKind | undefined {
    const parsed = parseObjectPath(path);
    return parsed && this.#kind(parsed);
  }

  #kind(name: { group: string; plural: string }): CachedKind {
    const prefix = kindPrefix(name);
    let kind = this.#kinds.get(prefix);
    if (!kind) {
      kind = new CachedKind(this.#bounds, this.#since);
      this.#kinds.set(prefix, kind);
    }
    return kind;
  }

  #jsonOf(object: KubeObject): Buffer {
    let json = this.#json.get(object);
    if (!json) {
      json = Buffer.from(JSON.stringify(object));
      this.#json.set(object, json);
    }
    return json;
  }

  #parse(value: Buffer): KubeObject {
    return this.#frozen(JSON.parse(value.toString()) as KubeObject);
  }

  #frozen<T extends object>(object: T): T {
    return this.#freeze ? deepFreeze(object) : object;
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) deepFreeze(part as object);
  }
  return Object.freeze(value);
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
