import { type KubeObject, objectKey } from '../../../shared/meta/kube-object.ts';
import type { ResourceKind } from '../../../shared/resources/resource-kind.ts';
import type { OwnerReference } from '../../../shared/schema/kubernetes-types.ts';
import { type Controller, type ControllerParts, trigger } from '../controller.ts';
import { ignoreGone } from '../ignore-gone.ts';
import type { Dependent, Dependents } from './dependents.ts';
import { type OwnerState, planCollection } from './plan.ts';

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';

/**
 * Deletes what lost its owners, in the background; ends foreground deletions when the last dependent is gone, and orphaning ones when
 * the dependents forgot their owner. Keyed by uid, whatever the kind.
 */
export function garbageCollector(
  parts: ControllerParts,
  kinds: readonly ResourceKind[],
  dependents: Dependents,
): Controller {
  return {
    name: 'garbage-collector',
    triggers: kinds.map((kind) =>
      trigger(kind, ({ object, removed }) => keysOf(object, removed, dependents)),
    ),
    async reconcile(uid) {
      const found = dependents.find(uid);
      if (found === undefined) return undefined;
      if (found.object.metadata.deletionTimestamp !== undefined)
        await finishDeletion(parts, found, dependents);
      else await collect(parts, found, dependents);
      return undefined;
    },
  };
}

/** A removal concerns the dependents and the owners (which may wait for it); a change concerns the object itself. */
function keysOf(object: KubeObject, removed: boolean, dependents: Dependents): string[] {
  const { uid, ownerReferences = [], deletionTimestamp, finalizers = [] } = object.metadata;
  if (removed) {
    return [
      ...dependents.of(uid).map((dependent) => dependent.object.metadata.uid),
      ...ownerReferences.map((owner) => owner.uid),
    ];
  }
  if (deletionTimestamp !== undefined) {
    return finalizers.includes(FOREGROUND) || finalizers.includes(ORPHAN)
      ? [uid, ...ownerReferences.map((owner) => owner.uid)]
      : [];
  }
  return ownerReferences.length > 0 ? [uid] : [];
}

async function collect(
  { registry, log }: ControllerParts,
  { kind, object }: Dependent,
  dependents: Dependents,
): Promise<void> {
  const action = planCollection(object, (reference) => ownerState(reference, object, dependents));
  if (action === undefined) return;
  const { uid, name, namespace } = object.metadata;
  if (action.kind === 'delete') {
    log.info('collected: its owners are gone', { kind: kind.plural, namespace, name });
    await registry
      .delete(kind, objectKey(object), { propagationPolicy: action.policy, preconditions: { uid } })
      .catch(ignoreGone);
    return;
  }
  await dropOwners({ registry }, { kind, object }, action.uids);
}

/** An owner counts by its uid, and only in the namespace of the object or in none: references elsewhere name nobody. */
function ownerState(
  reference: OwnerReference,
  object: KubeObject,
  dependents: Dependents,
): OwnerState {
  const owner = dependents.find(reference.uid)?.object;
  const reachable =
    owner?.metadata.namespace === undefined ||
    owner.metadata.namespace === object.metadata.namespace;
  if (owner === undefined || !reachable) return 'absent';
  const waits =
    owner.metadata.deletionTimestamp !== undefined &&
    owner.metadata.finalizers?.includes(FOREGROUND) === true;
  return waits ? 'deleting dependents' : 'present';
}

async function finishDeletion(
  parts: ControllerParts,
  owner: Dependent,
  dependents: Dependents,
): Promise<void> {
  const { uid, finalizers = [] } = owner.object.metadata;
  const all = dependents.of(uid);
  if (finalizers.includes(ORPHAN)) {
    for (const dependent of all) await dropOwners(parts, dependent, [uid]);
    await removeFinalizer(parts, owner, ORPHAN);
  }
  if (!finalizers.includes(FOREGROUND)) return;
  for (const dependent of all) await collect(parts, dependent, dependents);
  const blocking = dependents
    .of(uid)
    .some(({ object }) =>
      object.metadata.ownerReferences?.some(
        (reference) => reference.uid === uid && reference.blockOwnerDeletion === true,
      ),
    );
  if (!blocking) await removeFinalizer(parts, owner, FOREGROUND);
}

async function dropOwners(
  { registry }: Pick<ControllerParts, 'registry'>,
  { kind, object }: Dependent,
  uids: readonly string[],
): Promise<void> {
  await registry
    .update(
      kind,
      objectKey(object),
      (current) => {
        const left = (current.metadata.ownerReferences ?? []).filter(
          (reference) => !uids.includes(reference.uid),
        );
        const { ownerReferences: _all, ...metadata } = current.metadata;
        return {
          ...current,
          metadata: left.length === 0 ? metadata : { ...metadata, ownerReferences: left },
        };
      },
      { uid: object.metadata.uid },
    )
    .catch(ignoreGone);
}

async function removeFinalizer(
  { registry }: ControllerParts,
  { kind, object }: Dependent,
  finalizer: string,
): Promise<void> {
  await registry
    .update(
      kind,
      objectKey(object),
      (current) => {
        const left = (current.metadata.finalizers ?? []).filter((entry) => entry !== finalizer);
        const { finalizers: _all, ...metadata } = current.metadata;
        return {
          ...current,
          metadata: left.length === 0 ? metadata : { ...metadata, finalizers: left },
        };
      },
      { uid: object.metadata.uid },
    )
    .catch(ignoreGone);
}
