import type { KubeObject, ObjectKey } from '../../shared/meta/kube-object.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Store } from './store.ts';
import type { WatchCache } from './watch-cache.ts';

export interface WriteOptions {
  /** Everything but the write itself. */
  dryRun?: boolean;
  /** Recorded in metadata.managedFields later; unused until server-side apply. */
  fieldManager?: string;
}

export interface UpdateOptions extends WriteOptions {
  subresource?: 'status';
  /** 409 when the stored object has another uid. */
  uid?: string;
}

export interface DeleteOptions extends WriteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  preconditions?: { uid?: string; resourceVersion?: string };
}

/** `gone`: the object was removed; otherwise it stays with a deletionTimestamp until its grace or its finalizers end. */
export interface Deletion<T> {
  object: T;
  gone: boolean;
}

/**
 * The only writer of objects. Stamps uid, creationTimestamp, generation and resourceVersion, runs the kind's strategy, refuses stale
 * writes (409), keeps finalizers and graceful deletion, and refuses what a namespace that is missing or terminating may not take
 * (admission plugin NamespaceLifecycle), for every writer alike. Every promise resolves after the write is durable.
 * Throws ApiError only.
 */
export class Registry {
  readonly cache: WatchCache;

  constructor(_parts: {
    store: Store;
    clock: Clock;
    kinds: readonly ResourceKind[];
    newUid: () => string;
  }) {
    throw new Error('unwritten');
  }

  /** Loads the cache. */
  async open(): Promise<void> {}

  /** Throws NotFound. */
  get<T extends KubeObject>(_kind: ResourceKind<T>, _key: ObjectKey): T {
    throw new Error('unwritten');
  }

  find<T extends KubeObject>(_kind: ResourceKind<T>, _key: ObjectKey): T | undefined {
    throw new Error('unwritten');
  }

  /** In key order. */
  list<T extends KubeObject>(_kind: ResourceKind<T>, _namespace?: string): readonly T[] {
    throw new Error('unwritten');
  }

  /** `metadata.generateName` is honoured. AlreadyExists, Invalid, Forbidden, NotFound (namespace). */
  async create<T extends KubeObject>(
    _kind: ResourceKind<T>,
    _object: T,
    _options?: WriteOptions,
  ): Promise<T> {
    throw new Error('unwritten');
  }

  /**
   * `change` makes the next object of the current one (it may run again when another write came between); a
   * metadata.resourceVersion in its result that is neither empty nor the current one is a Conflict. An unchanged object is not
   * written. An object whose deletionTimestamp is set and whose last finalizer goes is removed.
   */
  async update<T extends KubeObject>(
    _kind: ResourceKind<T>,
    _key: ObjectKey,
    _change: (current: T) => T,
    _options?: UpdateOptions,
  ): Promise<T> {
    throw new Error('unwritten');
  }

  async delete<T extends KubeObject>(
    _kind: ResourceKind<T>,
    _key: ObjectKey,
    _options?: DeleteOptions,
  ): Promise<Deletion<T>> {
    throw new Error('unwritten');
  }
}
