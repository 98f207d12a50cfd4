import type { KubeObject } from '../../shared/meta/kube-object.ts';
import { controllerOf } from '../../shared/meta/owner-reference.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Registry } from '../store/registry.ts';
import { GroupedObjects } from './grouped-objects.ts';

/**
 * The objects of one kind by the uid of their controller, and those without one by namespace: kept up with each change, so that a
 * reconcile costs what it owns and not what the cluster holds.
 */
export class OwnedObjects<T extends KubeObject> {
  readonly #groups: GroupedObjects<T>;

  constructor(registry: Registry, kind: ResourceKind<T>) {
    this.#groups = new GroupedObjects(registry, kind, ({ metadata }) => {
      const owner = controllerOf(metadata);
      return [owner === undefined ? orphansIn(metadata.namespace ?? '') : ownedBy(owner.uid)];
    });
  }

  start(): void {
    this.#groups.start();
  }

  stop(): void {
    this.#groups.stop();
  }

  of(ownerUid: string): T[] {
    return this.#groups.of(ownedBy(ownerUid));
  }

  orphans(namespace: string): T[] {
    return this.#groups.of(orphansIn(namespace));
  }
}

function ownedBy(uid: string): string {
  return `owner/${uid}`;
}

function orphansIn(namespace: string): string {
  return `orphans/${namespace}`;
}
