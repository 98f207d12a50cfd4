import { findCondition, setCondition } from '../../../shared/meta/condition.ts';
import { formatTime } from '../../../shared/meta/time.ts';
import type {
  Node as KubeNode,
  NodeCondition,
  Pod,
} from '../../../shared/schema/kubernetes-types.ts';

/** kube-controller-manager's --node-monitor-grace-period of v1.31 and before: a lease this old says that the node is gone. */
export const LEASE_GRACE_MS = 40_000;

/** The conditions that nobody can vouch for once the node is silent. */
const REPORTED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** The node's conditions once it has been silent too long; the list itself when they say so already. */
export function unknownConditions(node: KubeNode, nowMs: number): NodeCondition[] {
  const now = formatTime(nowMs);
  return REPORTED.reduce<NodeCondition[]>((conditions, type) => {
    const before = findCondition(conditions, type);
    if (before?.status === 'Unknown') return conditions;
    return setCondition(
      conditions,
      {
        type,
        status: 'Unknown',
        ...(before === undefined
          ? { reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.' }
          : { reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' }),
        ...(before?.lastHeartbeatTime !== undefined && {
          lastHeartbeatTime: before.lastHeartbeatTime,
        }),
      },
      now,
    );
  }, node.status.conditions ?? []);
}

/** A pod on a node that is not ready counts as not ready, so that nothing is sent to it; the same object when it does already. */
export function withNodeNotReady(pod: Pod, nowMs: number): Pod {
  const ready = findCondition(pod.status.conditions, 'Ready');
  if (ready?.status !== 'True') return pod;
  const conditions = setCondition(
    pod.status.conditions,
    { ...ready, status: 'False', lastTransitionTime: formatTime(nowMs) },
    formatTime(nowMs),
  );
  return { ...pod, status: { ...pod.status, conditions } };
}
