import type { Filter } from './filter.ts';

/** What the pod asks for must fit beside what the pods on the node ask for already. */
export const resourceFit: Filter = (
  { requests },
  { allocatable, requested, allowedPods, podCount },
) => {
  const short: string[] = [];
  const lacks = (wanted: number, has: number, taken: number) => wanted > 0 && wanted > has - taken;
  if (podCount + 1 > allowedPods) short.push('Too many pods');
  if (lacks(requests.milliCpu, allocatable.milliCpu, requested.milliCpu))
    short.push('Insufficient cpu');
  if (lacks(requests.memoryBytes, allocatable.memoryBytes, requested.memoryBytes))
    short.push('Insufficient memory');
  if (lacks(requests.storageBytes, allocatable.storageBytes, requested.storageBytes))
    short.push('Insufficient ephemeral-storage');
  for (const [name, wanted] of requests.extended) {
    if (lacks(wanted, allocatable.extended.get(name) ?? 0, requested.extended.get(name) ?? 0))
      short.push(`Insufficient ${name}`);
  }
  return short;
};
