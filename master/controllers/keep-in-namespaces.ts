import { ApiError } from '../../shared/errors.ts';
import type { KubeObject } from '../../shared/meta/kube-object.ts';
import { NAMESPACES } from '../../shared/resources/namespace.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Registry } from '../store/registry.ts';
import { type Controller, type ControllerParts, trigger } from './controller.ts';
import { ignoreGone } from './ignore-gone.ts';

/** One object that every active namespace has. */
export interface NamespaceObject<T extends KubeObject> {
  kind: ResourceKind<T>;
  name: string;
  /** The object as it should be written; undefined when `current` is right as it is. Pure. */
  plan(namespace: string, current: T | undefined): T | undefined;
}

/** Keeps an object in every active namespace, whoever changes or removes it. Keys are names of namespaces. */
export function keepInNamespaces<T extends KubeObject>(
  { registry }: ControllerParts,
  controllerName: string,
  { kind, name, plan }: NamespaceObject<T>,
): Controller {
  return {
    name: controllerName,
    triggers: [
      trigger(NAMESPACES, ({ object, previous }) =>
        previous === undefined ? [object.metadata.name] : [],
      ),
      trigger(kind, ({ object: { metadata } }) =>
        metadata.name === name ? [metadata.namespace ?? ''] : [],
      ),
    ],
    async reconcile(namespace) {
      if (!isActive(registry, namespace)) return undefined;
      const key = { namespace, name };
      const current = registry.find(kind, key);
      const wanted = plan(namespace, current);
      if (wanted === undefined) return undefined;
      if (current === undefined) {
        await registry.create(kind, wanted).catch((error: unknown) => {
          // What somebody else has made, or a namespace that ends, has woken this controller again.
          const isMade = error instanceof ApiError && error.reason === 'AlreadyExists';
          if (!isMade && isActive(registry, namespace)) throw error;
        });
      } else {
        await registry
          .update(kind, key, (stored) => plan(namespace, stored) ?? stored)
          .catch(ignoreGone);
      }
      return undefined;
    },
  };
}

function isActive(registry: Registry, name: string): boolean {
  const namespace = registry.find(NAMESPACES, { namespace: '', name });
  return namespace !== undefined && namespace.metadata.deletionTimestamp === undefined;
}
