import type { Score } from './score.ts';

/** The share of CPU and memory that stays free with the pod, the mean of both (NodeResourcesFit, LeastAllocated). */
export const leastAllocated: Score = {
  name: 'least-allocated',
  weight: 1,
  score({ requests }, { allocatable, requested }) {
    const free = (has: number, taken: number) =>
      has <= 0 ? 0 : Math.max(0, (100 * (has - taken)) / has);
    const cpu = free(allocatable.milliCpu, requested.milliCpu + requests.milliCpu);
    const memory = free(allocatable.memoryBytes, requested.memoryBytes + requests.memoryBytes);
    return (cpu + memory) / 2;
  },
};
