import {
  type Cidr,
  cidrContains,
  cidrSize,
  formatCidr,
  parseCidr,
} from '../../../shared/meta/cidr.ts';

/**
 * The first part of the cluster's range, `maskSize` bits long, that no node holds; undefined when the range is used up. A node's own
 * range that lies elsewhere (of an older configuration) takes nothing.
 */
export function nextNodeCidr(
  cluster: Cidr,
  maskSize: number,
  taken: readonly string[],
): string | undefined {
  const size = cidrSize({ base: 0, prefix: maskSize });
  const used = new Set(
    taken
      .map(parseCidr)
      .filter((cidr) => cidrContains(cluster, cidr.base))
      .flatMap((cidr) => {
        const first = Math.floor((cidr.base - cluster.base) / size);
        const last = Math.floor((cidr.base + cidrSize(cidr) - 1 - cluster.base) / size);
        return Array.from({ length: last - first + 1 }, (_, index) => first + index);
      }),
  );
  const count = cidrSize(cluster) / size;
  for (let index = 0; index < count; index++) {
    if (!used.has(index))
      return formatCidr({ base: cluster.base + index * size, prefix: maskSize });
  }
  return undefined;
}
