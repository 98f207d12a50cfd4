import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import type { OwnerReference } from '../../../shared/schema/kubernetes-types.ts';

export type OwnerState = 'absent' | 'present' | 'deleting dependents';

export type CollectAction =
  | { kind: 'delete'; policy: 'Background' | 'Foreground' }
  | { kind: 'drop-owners'; uids: string[] };

/**
 * What becomes of an object with owners (kube-controller-manager's attemptToDeleteItem): one solid owner keeps it, and the references to
 * absent ones go; without one it is deleted, in the foreground when an owner waits for it to be gone.
 */
export function planCollection(
  object: KubeObject,
  stateOf: (reference: OwnerReference) => OwnerState,
): CollectAction | undefined {
  const references = object.metadata.ownerReferences ?? [];
  if (references.length === 0 || object.metadata.deletionTimestamp !== undefined) return undefined;
  const states = references.map((reference) => ({ reference, state: stateOf(reference) }));
  const solid = states.filter(({ state }) => state === 'present');
  const dangling = states.filter(({ state }) => state !== 'present');
  if (solid.length > 0) {
    return dangling.length === 0
      ? undefined
      : { kind: 'drop-owners', uids: dangling.map(({ reference }) => reference.uid) };
  }
  const foreground = states.some(({ state }) => state === 'deleting dependents');
  return { kind: 'delete', policy: foreground ? 'Foreground' : 'Background' };
}
