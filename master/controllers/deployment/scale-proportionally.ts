import type { ReplicaSet } from '../../../shared/schema/kubernetes-types.ts';
import { DESIRED_REPLICAS, MAX_REPLICAS } from './annotations.ts';
import { compareAge } from './compare-age.ts';

/**
 * A change of spec.replicas in the middle of a rollout is shared among the active ReplicaSets in proportion to their size, the
 * largest and newest first; what rounding leaves goes to the first (deployment controller's `scale`, KEP-less since v1.3).
 *
 * `allowed` is replicas + maxSurge, `sets` the active ones. Answers the new size of each that changes, by uid.
 */
export function scaleProportionally(
  sets: readonly ReplicaSet[],
  newest: ReplicaSet | undefined,
  desired: number,
  allowed: number,
): Map<string, number> {
  const size = (set: ReplicaSet) => set.spec.replicas ?? 0;
  const total = sets.reduce((sum, set) => sum + size(set), 0);
  let left = allowed - total;
  const growing = left > 0;
  const ordered = [...sets].sort(
    (a, b) => size(b) - size(a) || (growing ? compareAge(b, a) : compareAge(a, b)),
  );
  const sizes = new Map<string, number>();
  for (const set of ordered) {
    const share = total === 0 && set === newest ? left : proportion(set, desired, allowed, left);
    sizes.set(set.metadata.uid, size(set) + share);
    left -= share;
  }
  const first = ordered[0];
  if (first !== undefined && left !== 0) {
    sizes.set(first.metadata.uid, Math.max(0, (sizes.get(first.metadata.uid) ?? 0) + left));
  }
  return new Map([...sizes].filter(([uid, next]) => size(byUid(sets, uid)) !== next));
}

/** The part of `left` that belongs to one set, never more than is left. */
function proportion(set: ReplicaSet, desired: number, allowed: number, left: number): number {
  const size = set.spec.replicas ?? 0;
  if (size === 0 || left === 0) return 0;
  const annotated = Number(set.metadata.annotations?.[MAX_REPLICAS] ?? 0);
  const before =
    annotated > 0
      ? annotated
      : Number(set.metadata.annotations?.[DESIRED_REPLICAS] ?? 0) || desired;
  const share = Math.round((size * allowed) / before) - size;
  return left > 0 ? Math.max(0, Math.min(share, left)) : Math.min(0, Math.max(share, left));
}

function byUid(sets: readonly ReplicaSet[], uid: string): ReplicaSet {
  const found = sets.find(({ metadata }) => metadata.uid === uid);
  if (found === undefined) throw new Error(`no ReplicaSet ${uid}`);
  return found;
}
