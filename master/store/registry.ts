import { ApiError, alreadyExists, invalid, notFound } from '../../shared/errors.ts';
import { type KubeObject, type ObjectKey, objectKey } from '../../shared/meta/kube-object.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { qualifiedPlural, type ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Namespace } from '../../shared/schema/kubernetes-types.ts';
import { isFinished, planDeletion } from './deletion-plan.ts';
import { generatedName } from './generated-name.ts';
import { equalJson } from './json-equal.ts';
import { checkMortal, checkNamespaceTakes, isNamespaceKind } from './namespace-lifecycle.ts';
import { stampNewObject } from './new-object.ts';
import { anotherObject, checkUid, prepareNext, validateNext } from './next-object.ts';
import { objectPath } from './object-path.ts';
import type { Compare, Store, StoreOperation, TransactionResult } from './store.ts';
import { WatchCache } from './watch-cache.ts';

export interface WriteOptions {
  /** Everything but the write itself. */
  dryRun?: boolean;
  /** Recorded in metadata.managedFields later; unused until server-side apply. */
  fieldManager?: string;
}

export interface UpdateOptions extends WriteOptions {
  /** `finalize`: of a namespace, writes spec.finalizers. `binding`: of a pod, gives it its node. */
  subresource?: 'status' | 'finalize' | 'binding';
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
 * A rule that needs more than the object: it runs after the kind's defaults and before validation, at creation and at updates that are
 * no subresource's.
 */
export interface Preparation<T extends KubeObject = KubeObject> {
  kind: ResourceKind<T>;
  /** Returns what is stored instead. May throw ApiError. */
  prepare(object: T, previous: T | undefined): T;
  /** The write of what `prepare` returned has ended, one way or the other; the cache shows it if it was made. */
  settled?(object: T): void;
}

/** Attempts at a name that is not taken; as many as Kubernetes makes since v1.32. */
const NAME_ATTEMPTS = 8;

/**
 * The only writer of objects. Stamps uid, creationTimestamp and resourceVersion, runs the kind's strategy (which counts
 * metadata.generation), refuses stale writes (409), keeps finalizers and graceful deletion, and refuses what a namespace that is
 * missing or terminating may not take (admission plugin NamespaceLifecycle), for every writer alike. Every promise resolves after
 * the write is durable and visible in the cache. Throws ApiError only.
 */
export class Registry {
  readonly cache: WatchCache;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #newUid: () => string;
  readonly #random: () => number;
  readonly #namespaces: ResourceKind<Namespace> | undefined;
  readonly #preparations: readonly Preparation[];

  constructor(parts: {
    store: Store;
    clock: Clock;
    kinds: readonly ResourceKind[];
    newUid: () => string;
    preparations?: readonly Preparation[];
    /** Numbers in [0, 1), for generated names. */
    random?: () => number;
    /** Absent: one with the usual history. */
    cache?: WatchCache;
  }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#newUid = parts.newUid;
    this.#random = parts.random ?? Math.random;
    this.#preparations = parts.preparations ?? [];
    // Without the row of namespaces (a test with a kind of its own) namespaces are not looked at.
    this.#namespaces = parts.kinds.find(isNamespaceKind) as ResourceKind<Namespace> | undefined;
    this.cache = parts.cache ?? new WatchCache();
  }

  /** Loads the cache; the store is open. */
  async open(): Promise<void> {
    await this.cache.follow(this.#store);
  }

  /** After a restore from a backup: every watcher that begins again is told to list first. */
  async raiseEpoch(atLeast: number): Promise<void> {
    await this.#store.raiseEpoch(atLeast);
    this.cache.advanceTo(this.#store.revision());
  }

  /** Throws NotFound. */
  get<T extends KubeObject>(kind: ResourceKind<T>, key: ObjectKey): T {
    const object = this.find(kind, key);
    if (!object) throw notFound(kind, key.name);
    return object;
  }

  find<T extends KubeObject>(kind: ResourceKind<T>, key: ObjectKey): T | undefined {
    return this.cache.find(kind, key);
  }

  /** In key order. */
  list<T extends KubeObject>(kind: ResourceKind<T>, namespace?: string): readonly T[] {
    return this.cache.snapshot(kind, namespace).objects;
  }

  /** `metadata.generateName` is honoured. AlreadyExists, Invalid, Forbidden, NotFound (namespace). */
  async create<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: T,
    options: WriteOptions = {},
  ): Promise<T> {
    const stamped = stampNewObject(kind, object, {
      uid: this.#newUid(),
      nowMs: this.#clock.nowMs(),
    });
    this.#namespaceCompares(kind, stamped);
    const { strategy } = kind;
    const ready = this.#named(strategy.default(strategy.prepareForCreate(stamped)));
    return this.#prepared(kind, ready, undefined, async (prepared) => {
      const errors = strategy.validate(prepared);
      if (errors.length > 0) throw invalid(kind, prepared.metadata.name, errors);
      const generatesName = !object.metadata.name;
      return this.#insert(kind, prepared, { ...options, generatesName });
    });
  }

  /**
   * `change` makes the next object of the current one (it may run again when another write came between); a
   * metadata.resourceVersion in its result that is neither empty nor the current one is a Conflict. An unchanged object is not
   * written. An object whose deletionTimestamp is set and whose last finalizer goes is removed.
   */
  async update<T extends KubeObject>(
    kind: ResourceKind<T>,
    key: ObjectKey,
    change: (current: T) => T,
    options: UpdateOptions = {},
  ): Promise<T> {
    for (;;) {
      const current = this.find(kind, key);
      if (!current) {
        throw options.uid ? anotherObject(kind, key, options.uid) : notFound(kind, key.name);
      }
      checkUid(kind, current, options.uid);
      const next = prepareNext(kind, change(current), current, options.subresource);
      const replace = async (prepared: T) => {
        validateNext(kind, prepared, current, options.subresource);
        return this.#replace(kind, prepared, current, options);
      };
      const written = options.subresource
        ? await replace(next)
        : await this.#prepared(kind, next, current, replace);
      if (written) return written;
    }
  }

  /** Forbidden (namespaces that stay), NotFound, Conflict (preconditions). */
  async delete<T extends KubeObject>(
    kind: ResourceKind<T>,
    key: ObjectKey,
    options: DeleteOptions = {},
  ): Promise<Deletion<T>> {
    checkMortal(kind, key.name);
    for (;;) {
      const current = this.get(kind, key);
      const { action, object } = planDeletion(kind, current, options, this.#clock.nowMs());
      const gone = action === 'remove';
      if (action === 'keep' || options.dryRun) return { object, gone };
      const written = gone
        ? await this.#remove(kind, object, current)
        : await this.#replace(kind, object, current, {});
      if (written) return { object: written, gone };
    }
  }

  #named<T extends KubeObject>(object: T): T {
    const { name, generateName } = object.metadata;
    if (name || !generateName) return object;
    const metadata = { ...object.metadata, name: generatedName(generateName, this.#random) };
    return { ...object, metadata };
  }

  async #prepared<T extends KubeObject, R>(
    kind: ResourceKind<T>,
    object: T,
    previous: T | undefined,
    write: (prepared: T) => Promise<R>,
  ): Promise<R> {
    const started: [Preparation, KubeObject][] = [];
    try {
      let prepared: KubeObject = object;
      for (const preparation of this.#preparations) {
        if (qualifiedPlural(preparation.kind) !== qualifiedPlural(kind)) continue;
        prepared = preparation.prepare(prepared, previous);
        started.push([preparation, prepared]);
      }
      return await write(prepared as T);
    } finally {
      for (const [preparation, prepared] of started) preparation.settled?.(prepared);
    }
  }

  async #insert<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: T,
    options: { dryRun?: boolean; generatesName: boolean },
  ): Promise<T> {
    let candidate = object;
    let attempt = 1;
    for (;;) {
      const written = await this.#tryInsert(kind, candidate, options.dryRun ?? false);
      if (written === 'namespace changed') continue;
      if (written !== 'exists') return written;
      const { name } = candidate.metadata;
      if (!options.generatesName) throw alreadyExists(kind, name);
      if (attempt === NAME_ATTEMPTS) throw noFreeName(kind, name);
      attempt += 1;
      candidate = this.#named({ ...candidate, metadata: { ...candidate.metadata, name: '' } });
    }
  }

  async #tryInsert<T extends KubeObject>(
    kind: ResourceKind<T>,
    object: T,
    dryRun: boolean,
  ): Promise<T | 'exists' | 'namespace changed'> {
    const compares = this.#namespaceCompares(kind, object);
    const key = objectPath(kind, objectKey(object));
    if (this.find(kind, objectKey(object))) return 'exists';
    if (dryRun) return withoutRevision(object);
    const result = await this.#commit([{ key, revision: 0 }, ...compares], put(key, object));
    if (!result.succeeded) return result.failed.key === key ? 'exists' : 'namespace changed';
    return this.#stored(kind, object, result.revision);
  }

  /** undefined: another write came between. */
  async #replace<T extends KubeObject>(
    kind: ResourceKind<T>,
    next: T,
    current: T,
    { dryRun }: WriteOptions,
  ): Promise<T | undefined> {
    if (isFinished(next, current)) {
      return dryRun ? next : this.#remove(kind, next, current);
    }
    if (equalJson(next, current)) return current;
    if (dryRun) return next;
    const key = objectPath(kind, objectKey(current));
    const result = await this.#commit([unchanged(key, current)], put(key, next));
    return result.succeeded ? this.#stored(kind, next, result.revision) : undefined;
  }

  async #remove<T extends KubeObject>(
    kind: ResourceKind<T>,
    last: T,
    current: T,
  ): Promise<T | undefined> {
    const key = objectPath(kind, objectKey(current));
    const result = await this.#commit([unchanged(key, current)], [{ kind: 'delete', key }]);
    return result.succeeded ? withRevision(last, result.revision) : undefined;
  }

  async #commit(
    compares: readonly Compare[],
    operations: readonly StoreOperation[],
  ): Promise<TransactionResult> {
    try {
      return await this.#store.txn(compares, operations);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ApiError('InternalError', `the store did not take the write: ${why}`);
    }
  }

  /** The cache's own object, so that nothing is kept twice; another one when a later write is there already. */
  #stored<T extends KubeObject>(kind: ResourceKind<T>, object: T, revision: number): T {
    const cached = this.find(kind, objectKey(object));
    const isThis = cached?.metadata.resourceVersion === String(revision);
    return isThis ? cached : withRevision(object, revision);
  }

  /** Throws when the namespace takes nothing new; the write then depends on the namespace being as it was looked at. */
  #namespaceCompares(kind: ResourceKind, object: KubeObject): Compare[] {
    if (!this.#namespaces || !kind.namespaced) return [];
    const key = { namespace: '', name: object.metadata.namespace ?? '' };
    const namespace = this.find(this.#namespaces, key);
    checkNamespaceTakes(kind, object, namespace);
    return namespace ? [unchanged(objectPath(this.#namespaces, key), namespace)] : [];
  }
}

function unchanged(key: string, object: KubeObject): Compare {
  return { key, revision: Number(object.metadata.resourceVersion) };
}

function put(key: string, object: KubeObject): StoreOperation[] {
  const value = (revision: number) => Buffer.from(JSON.stringify(withRevision(object, revision)));
  return [{ kind: 'put', key, value }];
}

function withRevision<T extends KubeObject>(object: T, revision: number): T {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
}

/** What a dry run would have created: nothing has given it a version. */
function withoutRevision<T extends KubeObject>(object: T): T {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Worded as apimachinery's NewGenerateNameConflict. */
function noFreeName(kind: ResourceKind, name: string): ApiError {
  const { reason, message, details } = alreadyExists(kind, name);
  return new ApiError(
    reason,
    `${message}, the server was not able to generate a unique name for the object`,
    { ...details, retryAfterSeconds: 1 },
  );
}
