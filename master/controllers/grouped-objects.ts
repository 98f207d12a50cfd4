import type { KubeObject } from '../../shared/meta/kube-object.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Registry } from '../store/registry.ts';

/** The objects of one kind by groups that follow from each object alone, kept up with each change. An object may be in several. */
export class GroupedObjects<T extends KubeObject> {
  readonly #registry: Registry;
  readonly #kind: ResourceKind<T>;
  readonly #groupsOf: (object: T) => readonly string[];
  readonly #groups = new Map<string, Map<string, T>>();
  #unwatch: (() => void) | undefined;

  constructor(
    registry: Registry,
    kind: ResourceKind<T>,
    groupsOf: (object: T) => readonly string[],
  ) {
    this.#registry = registry;
    this.#kind = kind;
    this.#groupsOf = groupsOf;
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

  of(group: string): T[] {
    return [...(this.#groups.get(group)?.values() ?? [])];
  }

  size(group: string): number {
    return this.#groups.get(group)?.size ?? 0;
  }

  #add(object: T): void {
    for (const group of this.#groupsOf(object)) {
      const members = this.#groups.get(group);
      if (members === undefined) this.#groups.set(group, new Map([[object.metadata.uid, object]]));
      else members.set(object.metadata.uid, object);
    }
  }

  #remove(object: T): void {
    for (const group of this.#groupsOf(object)) {
      const members = this.#groups.get(group);
      members?.delete(object.metadata.uid);
      if (members?.size === 0) this.#groups.delete(group);
    }
  }
}
