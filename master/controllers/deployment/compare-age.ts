import type { ReplicaSet } from '../../../shared/schema/kubernetes-types.ts';

/** For sorting: the oldest first, of the same second by name. */
export function compareAge(a: ReplicaSet, b: ReplicaSet): number {
  const [left, right] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (left !== right) return left < right ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
