import type { KubeObject } from '../../shared/meta/kube-object.ts';
import { controllerOf } from '../../shared/meta/owner-reference.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Registry } from '../store/registry.ts';

/**
 * The objects of one kind by the uid of their controller, and those without one by namespace: kept up with each change, so that a
 * reconcile costs what it owns and not what the cluster holds.
 */
export class OwnedObjects<T extends KubeObject> {
  readonly #registry: Registry;
  readonly #kind: ResourceKind<T>;
  readonly #byOwner = new Map<string, Map<string, T>>();
  readonly #orphans = new Map<string, Map<string, T>>();
  #unwatch: (() => void) | undefined;

  constructor(registry: Registry, kind: ResourceKind<T>) {
    this.#registry = registry;
    this.#kind = kind;
  }

  start(): void {
    const { revision, objects } = this.#registry.cache.snapshot(this.#kind);
    for (const object of objects) this.#add(object);
    this.#unwatch = this.#registry.cache.watch(this.#kind, revision, (events) => {
      for (const { type, object, previous } of events) {
        if (previous !== undefined) this.#remove(previous);
        if (type !== 'DELETED') this.#add(object);
      }
    });
  }

  stop(): void {
    this.#unwatch?.();
  }

  of(ownerUid: string): T[] {
    return [...(this.#byOwner.get(ownerUid)?.values() ?? [])];
  }

  orphans(namespace: string): T[] {
    return [...(this.#orphans.get(namespace)?.values() ?? [])];
  }

  #add(object: T): void {
    const [index, group] = this.#place(object);
    const members = index.get(group);
    if (members === undefined) index.set(group, new Map([[object.metadata.uid, object]]));
    else members.set(object.metadata.uid, object);
  }

  #remove(object: T): void {
    const [index, group] = this.#place(object);
    const members = index.get(group);
    members?.delete(object.metadata.uid);
    if (members?.size === 0) index.delete(group);
  }

  #place(object: T): [Map<string, Map<string, T>>, string] {
    const owner = controllerOf(object.metadata);
    return owner === undefined
      ? [this.#orphans, object.metadata.namespace ?? '']
      : [this.#byOwner, owner.uid];
  }
}
