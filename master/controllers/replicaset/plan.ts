import { selects } from '../../../shared/meta/label-selector.ts';
import { parseTime } from '../../../shared/meta/time.ts';
import { isActive, isReady } from '../../../shared/resources/pod-conditions.ts';
import type { Pod, ReplicaSet } from '../../../shared/schema/kubernetes-types.ts';

export type ReplicaSetAction =
  | { kind: 'adopt'; pod: Pod }
  | { kind: 'release'; pod: Pod }
  | { kind: 'create'; count: number }
  | { kind: 'delete'; pod: Pod };

/** As many as the kube-controller-manager creates or deletes in one go (BurstReplicas). */
const BURST = 500;
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

/**
 * What brings the ReplicaSet's pods to its number: adopts matching pods without a controller, lets go of owned ones that no longer
 * match, creates what is missing, or deletes the pods that would be missed least. A ReplicaSet that is being deleted does nothing.
 */
export function planReplicaSet(
  replicaSet: ReplicaSet,
  owned: readonly Pod[],
  orphans: readonly Pod[],
  nowMs: number,
): ReplicaSetAction[] {
  if (replicaSet.metadata.deletionTimestamp !== undefined) return [];
  const { selector } = replicaSet.spec;
  const matches = (pod: Pod) => selects(selector, pod.metadata.labels ?? {});
  const released = owned.filter(
    (pod) => !matches(pod) && pod.metadata.deletionTimestamp === undefined,
  );
  const adopted = orphans.filter((pod) => matches(pod) && isActive(pod));
  const active = [...owned.filter((pod) => matches(pod) && isActive(pod)), ...adopted];
  return [
    ...released.map((pod): ReplicaSetAction => ({ kind: 'release', pod })),
    ...adopted.map((pod): ReplicaSetAction => ({ kind: 'adopt', pod })),
    ...scale(active, replicaSet.spec.replicas ?? 1, nowMs),
  ];
}

function scale(active: readonly Pod[], wanted: number, nowMs: number): ReplicaSetAction[] {
  const missing = wanted - active.length;
  if (missing > 0) return [{ kind: 'create', count: Math.min(missing, BURST) }];
  if (missing === 0) return [];
  const perNode = countPerNode(active);
  return [...active]
    .sort((left, right) => compareForDeletion(left, right, perNode, nowMs))
    .slice(0, Math.min(-missing, BURST))
    .map((pod): ReplicaSetAction => ({ kind: 'delete', pod }));
}

/**
 * Which pod goes first (kube-controller-manager's ActivePodsWithRanks): unscheduled, pending, not ready, lower deletion cost, more of
 * its kind on the node, ready for a shorter time, restarted more often, younger.
 */
function compareForDeletion(
  left: Pod,
  right: Pod,
  perNode: ReadonlyMap<string, number>,
  nowMs: number,
): number {
  const ranks: ((pod: Pod) => number)[] = [
    (pod) => (pod.spec.nodeName ? 1 : 0),
    (pod) => ['Pending', 'Unknown', 'Running'].indexOf(pod.status.phase ?? 'Pending'),
    (pod) => (isReady(pod) ? 1 : 0),
    (pod) => Number(pod.metadata.annotations?.[DELETION_COST] ?? 0) || 0,
    (pod) => -(perNode.get(pod.spec.nodeName ?? '') ?? 0),
    (pod) => logarithmicAge(readySince(pod), nowMs),
    (pod) => -maxRestarts(pod),
    (pod) => logarithmicAge(parseTime(pod.metadata.creationTimestamp), nowMs),
  ];
  for (const rank of ranks) {
    const difference = rank(left) - rank(right);
    if (difference !== 0) return difference;
  }
  return left.metadata.uid < right.metadata.uid ? -1 : 1;
}

/** Ages count in powers of two, so that among similar ones it is not always the youngest that goes (KEP-2185). */
function logarithmicAge(sinceMs: number | undefined, nowMs: number): number {
  if (sinceMs === undefined) return -1;
  return Math.floor(Math.log2(Math.max(1, nowMs - sinceMs)));
}

function readySince(pod: Pod): number | undefined {
  const condition = pod.status.conditions?.find(({ type }) => type === 'Ready');
  return condition?.status === 'True' ? parseTime(condition.lastTransitionTime) : undefined;
}

function maxRestarts(pod: Pod): number {
  return Math.max(
    0,
    ...(pod.status.containerStatuses ?? []).map(({ restartCount }) => restartCount),
  );
}

function countPerNode(pods: readonly Pod[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { spec } of pods)
    counts.set(spec.nodeName ?? '', (counts.get(spec.nodeName ?? '') ?? 0) + 1);
  return counts;
}
