import {
  type Cidr,
  cidrContains,
  cidrSize,
  formatIpv4,
  parseIpv4,
} from '../../shared/meta/cidr.ts';

/**
 * The address for a new pod, or undefined when the node's range is full. `wanted` is taken when it is free; otherwise the next free
 * one after `last`, round and round, so that an address just given back is not met again at once. The range's first two addresses
 * (network, and one kept for the node) and its last are never given.
 */
export function pickAddress(
  cidr: Cidr,
  used: ReadonlySet<string>,
  wanted: string | undefined,
  last: string | undefined,
): string | undefined {
  const first = cidr.base + 2;
  const count = cidrSize(cidr) - 3;
  if (wanted !== undefined && !used.has(wanted)) {
    const value = parseIpv4(wanted);
    if (value >= first && value < first + count) return wanted;
  }
  const lastValue = last === undefined ? undefined : parseIpv4(last);
  const start =
    lastValue !== undefined && cidrContains(cidr, lastValue) ? lastValue + 1 - first : 0;
  for (let step = 0; step < count; step++) {
    const candidate = formatIpv4(first + ((start + step) % count));
    if (!used.has(candidate)) return candidate;
  }
  return undefined;
}
