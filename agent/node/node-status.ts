import type { NodeCondition, NodeStatus } from '../../shared/schema/kubernetes-types.ts';
import type { MachineFacts } from '../host/machine.ts';
import type { RuntimeInfo } from '../runtime/runtime.ts';
import { nodeCapacity } from './capacity.ts';
import type { Pressure } from './pressure.ts';

export interface NodeFacts {
  machine: MachineFacts;
  runtime: RuntimeInfo;
  hostname: string;
  nodeIp: string;
  /** Go's name: amd64, arm64, arm. */
  architecture: string;
  kubeletVersion: string;
  /** False until the master has given the node its range of pod addresses. */
  networkReady: boolean;
  pressure: Pressure;
  images: { names: string[]; sizeBytes: number }[];
}

/** Kubernetes' nodeStatusMaxImages. */
const MAX_IMAGES = 50;

/**
 * node.status as the kubelet reports it. Times are those of the last change, given by `since`: an unchanged status is not sent again.
 */
export function nodeStatus(
  facts: NodeFacts,
  previous: NodeStatus | undefined,
  now: string,
): NodeStatus {
  const { machine, runtime } = facts;
  return {
    ...nodeCapacity(machine),
    addresses: [
      { type: 'InternalIP', address: facts.nodeIp },
      { type: 'Hostname', address: facts.hostname },
    ],
    conditions: wantedConditions(facts).map((wanted) => {
      const before = previous?.conditions?.find(({ type }) => type === wanted.type);
      const same = before?.status === wanted.status;
      const transition = same ? (before.lastTransitionTime ?? now) : now;
      const unchanged =
        same && before.reason === wanted.reason && before.message === wanted.message;
      return {
        ...wanted,
        lastHeartbeatTime: unchanged ? (before.lastHeartbeatTime ?? now) : now,
        lastTransitionTime: transition,
      };
    }),
    nodeInfo: {
      architecture: facts.architecture,
      bootID: machine.bootId,
      containerRuntimeVersion: runtime.version,
      kernelVersion: machine.kernelVersion,
      kubeProxyVersion: '',
      kubeletVersion: facts.kubeletVersion,
      machineID: machine.machineId,
      operatingSystem: 'linux',
      osImage: machine.osImage,
      systemUUID: machine.systemUuid,
    },
    images: [...facts.images]
      .sort((left, right) => right.sizeBytes - left.sizeBytes)
      .slice(0, MAX_IMAGES)
      .map(({ names, sizeBytes }) => ({ names, sizeBytes })),
    daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
  };
}

/** Node's `process.arch` in Go's words, as Kubernetes labels nodes. */
export function goArchitecture(nodeArchitecture: string): string {
  const names: Record<string, string> = {
    x64: 'amd64',
    ia32: '386',
    arm64: 'arm64',
    arm: 'arm',
    riscv64: 'riscv64',
  };
  return names[nodeArchitecture] ?? nodeArchitecture;
}

/** Per condition: its state, then reason and message when it is False and when it is True, in the kubelet's words. */
function wantedConditions({ pressure, networkReady }: NodeFacts): NodeCondition[] {
  const rows: [string, boolean, [string, string], [string, string]][] = [
    [
      'MemoryPressure',
      pressure.memory,
      ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
      ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
    ],
    [
      'DiskPressure',
      pressure.disk,
      ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
      ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
    ],
    [
      'PIDPressure',
      pressure.pid,
      ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
      ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
    ],
    [
      'Ready',
      networkReady,
      ['KubeletNotReady', 'container runtime network not ready: the node has no pod CIDR yet'],
      ['KubeletReady', 'kubelet is posting ready status'],
    ],
  ];
  return rows.map(([type, holds, whenFalse, whenTrue]) => {
    const [reason, message] = holds ? whenTrue : whenFalse;
    return { type, status: holds ? 'True' : 'False', reason, message };
  });
}
