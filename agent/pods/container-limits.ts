import { memoryBytes, milliCpu } from '../../shared/meta/quantity.ts';
import type { Container, Pod } from '../../shared/schema/kubernetes-types.ts';
import type { ContainerLimits } from '../runtime/runtime.ts';
import { isSidecar } from './restart-policy.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** The pod's quality of service: what it asks for and may use of CPU and memory, over all of its containers. */
export function qosClassOf(pod: Pod): QosClass {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  let isBestEffort = true;
  let isGuaranteed = true;
  for (const { resources } of containers) {
    for (const name of ['cpu', 'memory']) {
      const measure = name === 'cpu' ? milliCpu : memoryBytes;
      const limit = measure(resources?.limits?.[name]);
      const request = measure(resources?.requests?.[name]) || limit;
      if (limit > 0 || request > 0) isBestEffort = false;
      if (limit === 0 || limit !== request) isGuaranteed = false;
    }
  }
  if (isBestEffort) return 'BestEffort';
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}

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
  const qos = qosClassOf(pod);
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
