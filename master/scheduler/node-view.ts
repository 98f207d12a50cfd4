import {
  memoryBytes,
  milliCpu,
  parseQuantity,
  quantityToNumber,
} from '../../shared/meta/quantity.ts';
import { allContainers } from '../../shared/resources/pod-containers.ts';
import { memoryBytesOf, milliCpuOf, podRequests } from '../../shared/resources/pod-resources.ts';
import type { Node as KubeNode, Pod } from '../../shared/schema/kubernetes-types.ts';

/** Amounts that the scheduler counts, in whole numbers: millicores, bytes, pieces. */
export interface Amounts {
  milliCpu: number;
  memoryBytes: number;
  storageBytes: number;
  /** Everything else by its name: nvidia.com/gpu, hugepages-2Mi. */
  extended: ReadonlyMap<string, number>;
}

/** What a decision needs to know of one node: what it has, and what the pods bound to it ask for. */
export interface NodeView {
  node: KubeNode;
  allocatable: Amounts;
  allowedPods: number;
  requested: Amounts;
  podCount: number;
  /** `0.0.0.0/TCP/8080` for each host port taken. */
  hostPorts: ReadonlySet<string>;
}

const STANDARD: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage', 'pods']);

export const NOTHING: Amounts = {
  milliCpu: 0,
  memoryBytes: 0,
  storageBytes: 0,
  extended: new Map(),
};

export function nodeAllocatable(node: KubeNode): { amounts: Amounts; pods: number } {
  const list = node.status.allocatable ?? {};
  return {
    amounts: {
      milliCpu: milliCpu(list['cpu']),
      memoryBytes: memoryBytes(list['memory']),
      storageBytes: memoryBytes(list['ephemeral-storage']),
      extended: new Map(
        Object.entries(list)
          .filter(([name]) => !STANDARD.has(name))
          .map(([name, text]) => [name, quantityToNumber(parseQuantity(text))]),
      ),
    },
    pods: Number(list['pods'] ?? 110),
  };
}

export function podAmounts(pod: Pod): Amounts {
  const requests = podRequests(pod.spec);
  const storage = requests.get('ephemeral-storage');
  return {
    milliCpu: milliCpuOf(requests),
    memoryBytes: memoryBytesOf(requests),
    storageBytes: storage === undefined ? 0 : quantityToNumber(storage),
    extended: new Map(
      [...requests]
        .filter(([name]) => !STANDARD.has(name))
        .map(([name, quantity]) => [name, quantityToNumber(quantity)]),
    ),
  };
}

export function addAmounts(left: Amounts, right: Amounts, sign: 1 | -1 = 1): Amounts {
  const extended = new Map(left.extended);
  for (const [name, amount] of right.extended)
    extended.set(name, (extended.get(name) ?? 0) + sign * amount);
  return {
    milliCpu: left.milliCpu + sign * right.milliCpu,
    memoryBytes: left.memoryBytes + sign * right.memoryBytes,
    storageBytes: left.storageBytes + sign * right.storageBytes,
    extended,
  };
}

/** The host ports that a pod takes on its node. */
export function podHostPorts(pod: Pod): string[] {
  return allContainers(pod.spec).flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort === undefined || hostPort === 0
        ? []
        : [`${hostIP || '0.0.0.0'}/${protocol ?? 'TCP'}/${hostPort}`],
    ),
  );
}
