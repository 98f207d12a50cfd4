import { objectKey } from '../../../shared/meta/kube-object.ts';
import { CONFIG_MAPS } from '../../../shared/resources/config-map.ts';
import { NAMESPACES } from '../../../shared/resources/namespace.ts';
import { qualifiedPlural, type ResourceKind } from '../../../shared/resources/resource-kind.ts';
import { DEFAULT_ACCOUNT, SERVICE_ACCOUNTS } from '../../../shared/resources/service-account.ts';
import type { Registry } from '../../store/registry.ts';
import { type Controller, type ControllerParts, trigger } from '../controller.ts';
import { ignoreGone } from '../ignore-gone.ts';
import { ROOT_CA_MAP } from '../root-ca-publisher/plan.ts';

const FINALIZER = 'kubernetes';
/**
 * How long a namespace keeps its contents after its deletion (kube-controller-manager's namespaceDeletionGracePeriod): whoever deletes a
 * list that begins with the namespace finds its other objects still there.
 */
const GRACE_MS = 5_000;
/** What every namespace has of itself, by plural: a namespace that holds nothing else is empty. */
const STANDING: Readonly<Record<string, string>> = {
  [SERVICE_ACCOUNTS.plural]: DEFAULT_ACCOUNT,
  [CONFIG_MAPS.plural]: ROOT_CA_MAP,
};

/**
 * Empties a namespace that is being deleted, and lets it go when nothing is left in it (kube-controller-manager's namespace
 * controller). Deleted objects wake it, so it never polls.
 */
export function namespaceController(
  { registry, clock, log }: ControllerParts,
  kinds: readonly ResourceKind[],
): Controller {
  const namespaced = kinds.filter((kind) => kind.namespaced);
  /** When each was seen to be deleted, by the monotonic clock: the other one may be set meanwhile. */
  const seenMs = new Map<string, number>();
  const graceLeftMs = (name: string) => {
    const nowMs = clock.monotonicMs();
    const sinceMs = seenMs.get(name) ?? nowMs;
    seenMs.set(name, sinceMs);
    return sinceMs + GRACE_MS - nowMs;
  };
  /** Answers how many objects end only later. */
  const deleteContents = async (name: string): Promise<number> => {
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
    return left;
  };
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
      if (namespace?.metadata.deletionTimestamp === undefined) {
        seenMs.delete(name);
        return undefined;
      }
      const waitMs = isEmpty(registry, namespaced, name) ? 0 : graceLeftMs(name);
      if (waitMs > 0) return { afterMs: waitMs };
      const left = await deleteContents(name);
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

function isEmpty(registry: Registry, kinds: readonly ResourceKind[], namespace: string): boolean {
  return kinds.every((kind) =>
    registry.list(kind, namespace).every(({ metadata }) => metadata.name === STANDING[kind.plural]),
  );
}
