import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import type { ResourceKind } from '../../../shared/resources/resource-kind.ts';
import type { Registry } from '../../store/registry.ts';

export interface Dependent {
  kind: ResourceKind;
  object: KubeObject;
}

/** Who depends on whom, over all kinds, by the uid of the owner; and which uids exist. Kept up with each change. */
export class Dependents {
  readonly #registry: Registry;
  readonly #kinds: readonly ResourceKind[];
  readonly #byOwner = new Map<string, Map<string, Dependent>>();
  readonly #existing = new Map<string, Dependent>();
  #unwatch: (() => void)[] = [];

  constructor(registry: Registry, kinds: readonly ResourceKind[]) {
    this.#registry = registry;
    this.#kinds = kinds;
  }

  start(): void {
    for (const kind of this.#kinds) {
      const { revision, objects } = this.#registry.cache.snapshot(kind);
      for (const object of objects) this.#add({ kind, object });
      this.#unwatch.push(
        this.#registry.cache.watch(kind, revision, (events) => {
          for (const { type, object, previous } of events) {
            if (previous !== undefined) this.#remove(previous);
            if (type !== 'DELETED') this.#add({ kind, object });
          }
        }),
      );
    }
  }

  stop(): void {
    for (const end of this.#unwatch.splice(0)) end();
  }

  of(ownerUid: string): Dependent[] {
    return [...(this.#byOwner.get(ownerUid)?.values() ?? [])];
  }

  find(uid: string): Dependent | undefined {
    return this.#existing.get(uid);
  }

  #add(dependent: Dependent): void {
    const { uid, ownerReferences } = dependent.object.metadata;
    this.#existing.set(uid, dependent);
    for (const reference of ownerReferences ?? []) {
      const group = this.#byOwner.get(reference.uid);
      if (group === undefined) this.#byOwner.set(reference.uid, new Map([[uid, dependent]]));
      else group.set(uid, dependent);
    }
  }

  #remove(object: KubeObject): void {
    this.#existing.delete(object.metadata.uid);
    for (const reference of object.metadata.ownerReferences ?? []) {
      const group = this.#byOwner.get(reference.uid);
      group?.delete(object.metadata.uid);
      if (group?.size === 0) this.#byOwner.delete(reference.uid);
    }
  }
}
