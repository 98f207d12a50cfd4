import { findCondition, isConditionTrue } from '../meta/condition.ts';
import { parseTime } from '../meta/time.ts';
import type { Pod } from '../schema/kubernetes-types.ts';

/** Succeeded or Failed: none of its containers runs or will run again. */
export function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Counts as a pod of its ReplicaSet: neither over nor about to go. */
export function isActive(pod: Pod): boolean {
  return !isTerminal(pod) && !pod.metadata.deletionTimestamp;
}

export function isReady(pod: Pod): boolean {
  return isConditionTrue(pod.status?.conditions, 'Ready');
}

/** Ready for at least `minReadySeconds`. */
export function isAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  const inMs = availableInMs(pod, minReadySeconds, nowMs);
  return inMs === 0;
}

/** Milliseconds until a ready pod is available: 0 when it is, undefined when it is not ready. */
export function availableInMs(
  pod: Pod,
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  const ready = findCondition(pod.status?.conditions, 'Ready');
  if (ready?.status !== 'True') return undefined;
  if (minReadySeconds <= 0) return 0;
  const sinceMs = parseTime(ready.lastTransitionTime);
  if (sinceMs === undefined) return undefined;
  return Math.max(0, sinceMs + minReadySeconds * 1000 - nowMs);
}

/** The scheduler gave it a node. */
export function isScheduled(pod: Pod): boolean {
  return Boolean(pod.spec.nodeName);
}
