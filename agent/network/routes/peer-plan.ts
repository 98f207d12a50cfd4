import {
  type Cidr,
  cidrContains,
  cidrSize,
  cidrsOverlap,
  formatCidr,
  formatIpv4,
  isIpv4,
  parseCidr,
  parseIpv4,
} from '../../../shared/meta/cidr.ts';
import {
  type ClusterNetworkDocument,
  NETWORK_ANNOTATION_PREFIX,
  type PeerDocument,
} from '../../../shared/wire/network-documents.ts';
import { peerAnnotation } from './peer-annotations.ts';
import { VXLAN_OVERHEAD_BYTES, vxlanMac, vxlanNetwork } from './vxlan.ts';

/** A link of this machine that is no pod's and not the VXLAN link. */
export interface LocalLink {
  name: string;
  mtuBytes: number;
  /** Whether its neighbours are reached by their hardware addresses (Ethernet, wireless): only there a peer can be a gateway. */
  isSegment: boolean;
  /** IPv4. */
  addresses: readonly { address: string; prefix: number }[];
}

export interface NodeNetwork {
  name: string;
  clusterId: string;
  /** The name of its VXLAN link. */
  vxlanLink: string;
  internalIp: string;
  /** Absent until the master has given one. */
  podCidr: string | undefined;
  links: readonly LocalLink[];
}

/**
 * How a peer's pods are reached: over a segment that both are on (its address is their gateway), in VXLAN frames, or not at all because the
 * peer is on this very machine, where the kernel knows each pod.
 */
export type PeerMode = 'host-gw' | 'vxlan' | 'local';

export interface VxlanPlan {
  vni: number;
  port: number;
  mac: string;
  mtuBytes: number;
  /** The node's own address in the pod network: what it speaks from through this link. */
  address: string | undefined;
}

export interface RoutePlan {
  /** `10.42.1.0/24`. */
  destination: string;
  device: string;
  via?: string;
  source?: string;
  /** The gateway is taken for a neighbour though no address of the link says so. */
  isOnLink: boolean;
}

/** What the kernel shall have. */
export interface NetworkPlan {
  vxlan: VxlanPlan | undefined;
  /** One for each destination. */
  routes: RoutePlan[];
  /** Of the VXLAN link: gateway to hardware address. */
  neighbours: Map<string, string>;
  /** Of the VXLAN link: hardware address to the peer's internal IP. */
  forwarding: Map<string, string>;
  /** For pods: the smallest of what their packets may have to go through. */
  podMtuBytes: number;
  modes: Map<string, PeerMode>;
}

/** Of a machine that has no network, and Ethernet's. */
const DEFAULT_MTU_BYTES = 1500;

interface Peer {
  name: string;
  internalIp: string;
  ranges: Cidr[];
}

/**
 * The wanted state for `node` among `peers`; pure, and never throws: a peer whose document says nothing usable, or claims what is another's, has no
 * route. Where two claim one range, the first by name has it.
 */
export function planPeers(
  node: NodeNetwork,
  peers: readonly PeerDocument[],
  cluster: ClusterNetworkDocument | undefined,
): NetworkPlan {
  const plan: NetworkPlan = {
    vxlan: undefined,
    routes: cluster === undefined ? [] : serviceRoute(node, cluster),
    neighbours: new Map(),
    forwarding: new Map(),
    podMtuBytes: DEFAULT_MTU_BYTES,
    modes: new Map(),
  };
  const mtus = [homeLink(node)?.mtuBytes ?? DEFAULT_MTU_BYTES];
  for (const peer of usablePeers(node, peers, cluster)) {
    if (ownsAddress(node, peer.internalIp)) {
      plan.modes.set(peer.name, 'local');
      continue;
    }
    const link = sharedSegment(node, peer.internalIp);
    if (link === undefined) {
      addOverVxlan(plan, node, peer);
    } else {
      mtus.push(link.mtuBytes);
      addOverSegment(plan, link.name, peer);
    }
  }
  if (plan.forwarding.size > 0 || peers.some((peer) => sendsVxlan(peer, node.name))) {
    plan.vxlan = vxlanOf(node);
    mtus.push(plan.vxlan.mtuBytes);
  }
  plan.podMtuBytes = Math.min(...mtus);
  return plan;
}

/**
 * For the host's own connections: they need a route before they are translated. Always there, not only where there is no default route: that one
 * goes when the network does, and ClusterIPs shall work on; and what no rule translates stays on this machine.
 */
function serviceRoute(node: NodeNetwork, { serviceCidr }: ClusterNetworkDocument): RoutePlan[] {
  const range = cidrOf(serviceCidr);
  const source = speakingAddress(node);
  if (range === undefined || source === undefined) return [];
  return [{ destination: formatCidr(range), device: 'lo', source, isOnLink: false }];
}

/** The node's own address; while that is not known (no default route, no master since the boot) any that others on a segment can answer to. */
function speakingAddress(node: NodeNetwork): string | undefined {
  if (homeLink(node) !== undefined) return node.internalIp;
  const isLocal = ownsAddress(node, node.internalIp) && !node.internalIp.startsWith('127.');
  const other = node.links.find(({ isSegment, addresses }) => isSegment && addresses.length > 0);
  return isLocal ? node.internalIp : other?.addresses[0]?.address;
}

/** Peers with an address and with ranges that lie in the cluster's and are neither ours nor another's, by name. */
function usablePeers(
  node: NodeNetwork,
  peers: readonly PeerDocument[],
  cluster: ClusterNetworkDocument | undefined,
): Peer[] {
  const whole = cidrOf(cluster?.clusterCidr);
  if (whole === undefined) return [];
  const own = cidrOf(node.podCidr);
  const taken = new RangeSet();
  if (own !== undefined) taken.add(own);
  const usable: Peer[] = [];
  for (const { name, internalIP, podCIDRs } of [...peers].sort(byName)) {
    if (name === node.name || internalIP === undefined || !isIpv4(internalIP)) continue;
    const ranges: Cidr[] = [];
    for (const text of podCIDRs) {
      const range = cidrOf(text);
      if (range === undefined || !isWithin(whole, range) || !taken.add(range)) continue;
      ranges.push(range);
    }
    if (ranges.length > 0) usable.push({ name, internalIp: internalIP, ranges });
  }
  return usable;
}

function addOverSegment(plan: NetworkPlan, device: string, peer: Peer): void {
  plan.modes.set(peer.name, 'host-gw');
  for (const range of peer.ranges) {
    const destination = formatCidr(range);
    plan.routes.push({ destination, device, via: peer.internalIp, isOnLink: false });
  }
}

function addOverVxlan(plan: NetworkPlan, node: NodeNetwork, peer: Peer): void {
  const mac = vxlanMac(node.clusterId, peer.name);
  plan.modes.set(peer.name, 'vxlan');
  plan.forwarding.set(mac, peer.internalIp);
  for (const range of peer.ranges) {
    const via = nodeAddress(range);
    plan.neighbours.set(via, mac);
    plan.routes.push({
      destination: formatCidr(range),
      device: node.vxlanLink,
      via,
      isOnLink: true,
    });
  }
}

function vxlanOf(node: NodeNetwork): VxlanPlan {
  const own = cidrOf(node.podCidr);
  return {
    ...vxlanNetwork(node.clusterId),
    mac: vxlanMac(node.clusterId, node.name),
    mtuBytes: (homeLink(node)?.mtuBytes ?? DEFAULT_MTU_BYTES) - VXLAN_OVERHEAD_BYTES,
    address: own && nodeAddress(own),
  };
}

/** Another prefix length, or a link that it lacks, may let the peer see no segment where we see one: its frames must be taken all the same. */
function sendsVxlan({ name, annotations }: PeerDocument, ownName: string): boolean {
  const key = `${NETWORK_ANNOTATION_PREFIX}${peerAnnotation(ownName)}`;
  return name !== ownName && annotations[key] === 'vxlan';
}

/** The address of a range that no pod is given (address-pool.ts): its node's. */
function nodeAddress(range: Cidr): string {
  return formatIpv4(cidrSize(range) < 2 ? range.base : range.base + 1);
}

/** The link with the node's own address: what leaves for other segments leaves there. */
function homeLink(node: NodeNetwork): LocalLink | undefined {
  return node.links.find(
    ({ isSegment, addresses }) =>
      isSegment && addresses.some(({ address }) => address === node.internalIp),
  );
}

function ownsAddress(node: NodeNetwork, wanted: string): boolean {
  return node.links.some(({ addresses }) => addresses.some(({ address }) => address === wanted));
}

/** The link on whose segment the address is: by the longest prefix, as the kernel decides. */
function sharedSegment(node: NodeNetwork, address: string): LocalLink | undefined {
  const value = parseIpv4(address);
  let best: { link: LocalLink; prefix: number } | undefined;
  for (const link of node.links) {
    for (const { address: own, prefix } of link.isSegment ? link.addresses : []) {
      const size = 2 ** (32 - prefix);
      const base = Math.floor(parseIpv4(own) / size) * size;
      const isOn = prefix < 32 && cidrContains({ base, prefix }, value);
      if (isOn && prefix > (best?.prefix ?? -1)) best = { link, prefix };
    }
  }
  return best?.link;
}

/** Ranges of which no two overlap. */
class RangeSet {
  readonly #ranges: Cidr[] = [];

  /** False, and nothing is added, when it overlaps one that is there. Two CIDRs overlap only if one begins in the other: a sorted list decides. */
  add(range: Cidr): boolean {
    const at = this.#firstAfter(range.base);
    const neighbours = [this.#ranges[at - 1], this.#ranges[at]];
    if (neighbours.some((other) => other !== undefined && cidrsOverlap(other, range))) return false;
    this.#ranges.splice(at, 0, range);
    return true;
  }

  #firstAfter(base: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle]?.base ?? 0) <= base) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isWithin(whole: Cidr, range: Cidr): boolean {
  return range.prefix >= whole.prefix && cidrContains(whole, range.base);
}

/** Undefined for what is no IPv4 range: those of IPv6 come with dual stack. */
function cidrOf(text: string | undefined): Cidr | undefined {
  if (text === undefined) return undefined;
  try {
    return parseCidr(text);
  } catch {
    return undefined;
  }
}

function byName(left: { name: string }, right: { name: string }): number {
  return left.name < right.name ? -1 : Number(left.name > right.name);
}
