import { objectKey } from '../../../shared/meta/kube-object.ts';
import { NAMESPACES } from '../../../shared/resources/namespace.ts';
import { qualifiedPlural, type ResourceKind } from '../../../shared/resources/resource-kind.ts';
import { type Controller, type ControllerParts, trigger } from '../controller.ts';
import { ignoreGone } from '../ignore-gone.ts';

const FINALIZER = 'kubernetes';

/**
 * Empties a namespace that is being deleted, and lets it go when nothing is left in it (kube-controller-manager's namespace
 * controller). Deleted objects wake it, so it never polls.
 */
export function namespaceController(
  { registry, log }: ControllerParts,
  kinds: readonly ResourceKind[],
): Controller {
  const namespaced = kinds.filter((kind) => kind.namespaced);
  return {
    name: 'namespace',
    triggers: [
      trigger(NAMESPACES, ({ object }) =>
        object.metadata.deletionTimestamp === undefined ? [] : [object.metadata.name],
      ),
      ...namespaced.map((kind) =>
        trigger(kind, ({ object, removed }) => {
          const name = object.metadata.namespace ?? '';
          const namespace = registry.find(NAMESPACES, { namespace: '', name });
          return removed && namespace?.metadata.deletionTimestamp !== undefined ? [name] : [];
        }),
      ),
    ],
    async reconcile(name) {
      const namespace = registry.find(NAMESPACES, { namespace: '', name });
      if (namespace?.metadata.deletionTimestamp === undefined) return undefined;
      let left = 0;
      for (const kind of namespaced) {
        for (const object of registry.list(kind, name)) {
          const deleting = object.metadata.deletionTimestamp !== undefined;
          const deletion = deleting
            ? undefined
            : await registry.delete(kind, objectKey(object)).catch(ignoreGone);
          if (deleting || deletion?.gone === false) left += 1;
        }
      }
      if (left > 0) {
        log.debug('namespace still holds objects', { namespace: name, left });
        return undefined;
      }
      const holding = namespaced
        .filter((kind) => registry.list(kind, name).length > 0)
        .map(qualifiedPlural);
      if (holding.length > 0)
        throw new Error(`namespace ${name} holds ${holding.join(', ')} again`);
      await registry
        .update(
          NAMESPACES,
          { namespace: '', name },
          (current) => ({
            ...current,
            spec: {
              ...current.spec,
              finalizers: (current.spec.finalizers ?? []).filter((entry) => entry !== FINALIZER),
            },
          }),
          { subresource: 'finalize' },
        )
        .catch(ignoreGone);
      return undefined;
    },
  };
}
