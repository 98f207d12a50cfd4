import { memoryBytes, milliCpu } from '../../shared/meta/quantity.ts';
import { isSidecar, podQosClass } from '../../shared/resources/pod-resources.ts';
import type { Container, Pod } from '../../shared/schema/kubernetes-types.ts';
import type { ContainerLimits } from '../runtime/runtime.ts';

/** The cgroup figures of one container, computed as the kubelet does. `memoryCapacityBytes` is the node's. */
export function containerLimits(
  pod: Pod,
  container: Container,
  memoryCapacityBytes: number,
): ContainerLimits {
  const { requests, limits } = container.resources ?? {};
  const cpuLimit = milliCpu(limits?.['cpu']);
  const cpuRequest = requests?.['cpu'] === undefined ? cpuLimit : milliCpu(requests['cpu']);
  const memoryLimit = memoryBytes(limits?.['memory']);
  return {
    cpuShares: Math.min(262_144, Math.max(2, Math.floor((cpuRequest * 1024) / 1000))),
    ...(cpuLimit === 0 ? {} : { cpuQuotaMicroseconds: Math.max(1000, cpuLimit * 100) }),
    ...(memoryLimit === 0 ? {} : { memoryBytes: memoryLimit }),
    oomScoreAdj: oomScoreAdjustment(pod, container, memoryCapacityBytes),
  };
}

/** pkg/kubelet/qos: the more of the node's memory a burstable container asked for, the later it is the one to be killed. */
function oomScoreAdjustment(pod: Pod, container: Container, capacityBytes: number): number {
  if (pod.spec.priorityClassName === 'system-node-critical') return -997;
  const qos = podQosClass(pod.spec);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const own = burstableAdjustment(container, capacityBytes);
  if (!isSidecar(container)) return own;
  // A sidecar must not be killed before the containers that it serves.
  return Math.min(
    own,
    ...pod.spec.containers.map((main) => burstableAdjustment(main, capacityBytes)),
  );
}

function burstableAdjustment(container: Container, capacityBytes: number): number {
  const { requests, limits } = container.resources ?? {};
  const request = memoryBytes(requests?.['memory'] ?? limits?.['memory']);
  const adjustment = 1000 - Math.floor((1000 * request) / Math.max(1, capacityBytes));
  return Math.min(999, Math.max(3, adjustment));
}
