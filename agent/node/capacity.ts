/** What the machine has; read from /proc and statfs by host/machine.ts. */
export interface Machine {
  cpus: number;
  memoryBytes: number;
  /** The file system that holds the agent's data and the images. */
  storageBytes: number;
}

/** Kubernetes' default, and enough for any device of this class. */
const MAX_PODS = 110;
/** What the kubelet keeps back by default: its hard eviction thresholds (memory.available<100Mi, nodefs.available<10%). */
const KEPT_MEMORY_BYTES = 100 * 1024 * 1024;
const KEPT_STORAGE_SHARE = 0.1;

/** node.status.capacity and .allocatable, as quantities. */
export function nodeCapacity(machine: Machine): {
  capacity: Record<string, string>;
  allocatable: Record<string, string>;
} {
  const kibibytes = (bytes: number) => `${Math.max(0, Math.floor(bytes / 1024))}Ki`;
  return {
    capacity: {
      cpu: String(machine.cpus),
      'ephemeral-storage': kibibytes(machine.storageBytes),
      memory: kibibytes(machine.memoryBytes),
      pods: String(MAX_PODS),
    },
    allocatable: {
      cpu: String(machine.cpus),
      'ephemeral-storage': kibibytes(machine.storageBytes * (1 - KEPT_STORAGE_SHARE)),
      memory: kibibytes(machine.memoryBytes - KEPT_MEMORY_BYTES),
      pods: String(MAX_PODS),
    },
  };
}
