import type { EndpointSubset } from '../../../shared/schema/kubernetes-types.ts';

const MAX_ADDRESSES = 1000;

/**
 * At most 1,000 addresses, each subset giving its share and those that are not ready going first; the same list when there are no more
 * than that.
 */
export function truncateSubsets(subsets: EndpointSubset[]): EndpointSubset[] {
  const count = (field: 'addresses' | 'notReadyAddresses') =>
    subsets.reduce((sum, subset) => sum + (subset[field]?.length ?? 0), 0);
  const ready = count('addresses');
  const notReady = count('notReadyAddresses');
  if (ready + notReady <= MAX_ADDRESSES) return subsets;
  const cut = ready > MAX_ADDRESSES ? 'addresses' : 'notReadyAddresses';
  const allowed = cut === 'addresses' ? MAX_ADDRESSES : MAX_ADDRESSES - ready;
  const total = cut === 'addresses' ? ready : notReady;
  let left = allowed;
  return subsets.map(({ addresses = [], notReadyAddresses = [], ...subset }) => {
    const candidates = cut === 'addresses' ? addresses : notReadyAddresses;
    const share = Math.min(left, Math.ceil((candidates.length / total) * allowed));
    left -= share;
    const kept = candidates.slice(0, share);
    const stays = cut === 'addresses' ? kept : addresses;
    const waits = cut === 'addresses' ? [] : kept;
    return {
      ...subset,
      ...(stays.length > 0 && { addresses: stays }),
      ...(waits.length > 0 && { notReadyAddresses: waits }),
    };
  });
}
