import {
  availableInMs,
  isActive,
  isAvailable,
  isReady,
} from '../../../shared/resources/pod-conditions.ts';
import type { Pod, ReplicaSet, ReplicaSetStatus } from '../../../shared/schema/kubernetes-types.ts';

/** status of a ReplicaSet from its active pods, and when a ready pod becomes available without a further change. */
export function replicaSetStatus(
  replicaSet: ReplicaSet,
  owned: readonly Pod[],
  nowMs: number,
): { status: ReplicaSetStatus; afterMs: number | undefined } {
  const active = owned.filter(isActive);
  const minReadySeconds = replicaSet.spec.minReadySeconds ?? 0;
  const templateLabels = Object.entries(replicaSet.spec.template?.metadata?.labels ?? {});
  const labeled = active.filter(({ metadata }) =>
    templateLabels.every(([key, value]) => metadata.labels?.[key] === value),
  );
  const waits = active
    .map((pod) => availableInMs(pod, minReadySeconds, nowMs))
    .filter((wait): wait is number => wait !== undefined && wait > 0);
  return {
    status: {
      ...(replicaSet.status.conditions !== undefined && {
        conditions: replicaSet.status.conditions,
      }),
      replicas: active.length,
      fullyLabeledReplicas: labeled.length,
      readyReplicas: active.filter(isReady).length,
      availableReplicas: active.filter((pod) => isAvailable(pod, minReadySeconds, nowMs)).length,
      observedGeneration: replicaSet.metadata.generation ?? 0,
    },
    afterMs: waits.length === 0 ? undefined : Math.min(...waits),
  };
}
