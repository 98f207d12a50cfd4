import type { LiveFigures } from '../host/machine.ts';

export interface Pressure {
  memory: boolean;
  disk: boolean;
  pid: boolean;
}

/** The kubelet's default hard thresholds: memory.available<100Mi, nodefs.available<10%, nodefs.inodesFree<5%; and the last tenth of the pids. */
export function pressureOf(live: LiveFigures): Pressure {
  return {
    memory: live.memoryAvailableBytes < 100 * 1024 * 1024,
    disk: live.storageAvailableShare < 0.1 || live.inodesFreeShare < 0.05,
    pid: live.threads > 0.9 * live.threadsMax,
  };
}
