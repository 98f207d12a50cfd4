import type { KubeObject } from '../../shared/meta/kube-object.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';

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

/**
 * Every object of every kind, parsed once, with the last events of each kind. Invariant: a watcher sees each event after its start
 * revision exactly once and in revision order, or an Expired error.
 */
export class WatchCache {
  /** The newest revision that the cache shows. */
  revision(): number {
    throw new Error('unwritten');
  }

  snapshot<T extends KubeObject>(_kind: ResourceKind<T>, _namespace?: string): Snapshot<T> {
    throw new Error('unwritten');
  }

  /** The serialised object, made at most once per revision. */
  json(_kind: ResourceKind, _object: KubeObject): Buffer {
    throw new Error('unwritten');
  }

  /**
   * Events after `afterRevision` (undefined: from now on), first those of the history in one call, later as they come. Throws Expired when the
   * history does not reach back. The returned function ends the watch.
   */
  watch<T extends KubeObject>(
    _kind: ResourceKind<T>,
    _afterRevision: number | undefined,
    _listener: (events: readonly WatchEvent<T>[]) => void,
  ): () => void {
    throw new Error('unwritten');
  }
}
