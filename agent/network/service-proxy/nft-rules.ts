import { createHash } from 'node:crypto';
import type { NftChain, NftSet, NftTable } from './nft-table.ts';
import {
  type Endpoint,
  externalEndpoints,
  internalEndpoints,
  type NodePlan,
  type PortPlan,
  type Protocol,
  type ServicePlan,
} from './proxy-plan.ts';

/** What one service, or the node itself, puts into the table. */
export interface Fragment {
  chains: ReadonlyMap<string, readonly string[]>;
  /** Sets of its own, filled by packets: name to seconds. */
  affinitySets: ReadonlyMap<string, number>;
  /** Elements of the shared sets. */
  elements: readonly Element[];
  /** Of each chain that balances: where its endpoints stand in the map of its protocol. */
  ranges: ReadonlyMap<string, EndpointRange>;
}

export interface EndpointRange {
  first: number;
  /** The endpoints as text: equal text keeps its place. */
  endpoints: string;
}

export const EMPTY_FRAGMENT: Fragment = {
  chains: new Map(),
  affinitySets: new Map(),
  elements: [],
  ranges: new Map(),
};

export interface Element {
  set: SharedSet;
  key: string;
  value: string;
}

export type SharedSet = keyof typeof SHARED_SETS;

/** Protocol numbers (IANA), as nft prints them. */
const NUMBER = { TCP: 6, UDP: 17, SCTP: 132 } as const satisfies Record<Protocol, number>;

/** Says that the source is to be rewritten on the way out. Others use 0x2000 (podman), 0x4000 and 0x8000 (kube-proxy). */
const MASQUERADE = '0x00001000';
const SET_MARK = `meta mark set meta mark | ${MASQUERADE}`;

/**
 * A rule picks a number from its own range and finds the endpoint in the one map of its protocol. A map in each rule would be shorter to
 * read, but the kernel walks through all sets of a table for each set that is added, so loading 5,000 services took half a minute. The
 * types are said by example (`typeof`), because a random number has no type with a name, and need one map for each protocol.
 */
const ENDPOINTS = 'numgen random mod 65536 : ip daddr';
const MAP_OF = {
  TCP: 'tcp-endpoints',
  UDP: 'udp-endpoints',
  SCTP: 'sctp-endpoints',
} as const satisfies Record<Protocol, string>;

const DESTINATION = 'ipv4_addr . inet_proto . inet_service';
const SHARED_SETS = {
  /** Holds one number, replaced with each change: a change fails when somebody else has touched the table's life. */
  stamp: { kind: 'set', type: 'mark' },
  'cluster-ips': { kind: 'set', type: 'ipv4_addr' },
  hairpin: { kind: 'set', type: 'ipv4_addr . ipv4_addr' },
  services: { kind: 'map', type: `${DESTINATION} : verdict` },
  nodeports: { kind: 'map', type: 'inet_proto . inet_service : verdict' },
  refused: { kind: 'map', type: `${DESTINATION} : verdict` },
  'refused-nodeports': { kind: 'map', type: 'inet_proto . inet_service : verdict' },
  hostports: { kind: 'map', type: 'inet_proto . inet_service : ipv4_addr . inet_service' },
  'hostports-at': { kind: 'map', type: `${DESTINATION} : ipv4_addr . inet_service` },
  'tcp-endpoints': { kind: 'map', typeof: `${ENDPOINTS} . tcp dport` },
  'udp-endpoints': { kind: 'map', typeof: `${ENDPOINTS} . udp dport` },
  'sctp-endpoints': { kind: 'map', typeof: `${ENDPOINTS} . sctp dport` },
} as const satisfies Record<
  string,
  { kind: 'set' | 'map' } & ({ type: string } | { typeof: string })
>;

const TO_ADDRESS = 'ip daddr . meta l4proto . th dport';
const TO_PORT = 'meta l4proto . th dport';
const KNOWN_PROTOCOLS = 'meta l4proto { 6, 17, 132 }';
/** RTN_LOCAL (2): an address of this machine. What comes over lo alone is no node port, as in kube-proxy's nftables mode. */
const TO_NODE = 'fib daddr type 2 ip daddr != 127.0.0.0/8';
const NEW = 'ct state 0x8';

/** The table without services: sets, base chains and what the node's own facts decide. */
export function baseTable(node: NodePlan): NftTable {
  const sets = new Map<string, NftSet>();
  for (const [name, set] of Object.entries(SHARED_SETS)) {
    const attributes = ['type' in set ? `type ${set.type}` : `typeof ${set.typeof}`];
    sets.set(name, { kind: set.kind, attributes, isDynamic: false, elements: new Map() });
  }
  const chains = new Map<string, NftChain>();
  const plain = (rules: string[]): NftChain => ({ hook: undefined, rules });
  const hooked = (type: string, hook: string, priority: number, rules: string[]): NftChain => ({
    hook: `type ${type} hook ${hook} priority ${priority}; policy accept;`,
    rules,
  });
  chains.set('refuse', plain(['reject with tcp reset', 'reject']));
  chains.set('translate', plain(translateRules(node)));
  // Only the first packet of a connection comes here.
  chains.set('nat-prerouting', hooked('nat', 'prerouting', -100, ['jump translate']));
  chains.set('nat-output', hooked('nat', 'output', -100, ['jump translate']));
  chains.set('nat-postrouting', hooked('nat', 'postrouting', 100, sourceRules(node)));
  // Behind the translation: whatever still has a service's address found no endpoint.
  const refuse = [
    `${NEW} ${TO_ADDRESS} vmap @refused`,
    `${NEW} ${TO_NODE} ${TO_PORT} vmap @refused-nodeports`,
    `${NEW} ip daddr @cluster-ips goto refuse`,
  ];
  for (const hook of ['input', 'forward', 'output']) {
    chains.set(`filter-${hook}`, hooked('filter', hook, 0, refuse));
  }
  return { sets, chains };
}

function translateRules({ clusterCidr }: NodePlan): string[] {
  return [
    // Whoever is not in the pod network could not be answered by a pod of another node.
    ...(clusterCidr === undefined
      ? []
      : [`ip daddr @cluster-ips ip saddr != ${clusterCidr} ${SET_MARK}`]),
    `${TO_ADDRESS} vmap @services`,
    `${KNOWN_PROTOCOLS} dnat ip to ${TO_ADDRESS} map @hostports-at`,
    `${TO_NODE} ${KNOWN_PROTOCOLS} dnat ip to ${TO_PORT} map @hostports`,
    `${TO_NODE} ${TO_PORT} vmap @nodeports`,
  ];
}

/**
 * A link to a pod has no address of its own, and masquerading there would take any of the machine's: the node's own address is said
 * where it is known.
 */
function sourceRules({ nodeIp, podCidr, clusterCidr }: NodePlan): string[] {
  const rules: string[] = [];
  const wantsRewriting = [
    `meta mark & ${MASQUERADE} == ${MASQUERADE}`,
    'ip saddr . ip daddr @hairpin',
  ];
  for (const match of wantsRewriting) {
    if (nodeIp !== undefined && podCidr !== undefined) {
      rules.push(`${match} ip daddr ${podCidr} snat to ${nodeIp} fully-random`);
    }
    rules.push(`${match} masquerade fully-random`);
  }
  if (podCidr !== undefined && clusterCidr !== undefined) {
    rules.push(
      `ip saddr ${podCidr} ip daddr != ${clusterCidr} ip daddr != 224.0.0.0/4 masquerade fully-random`,
    );
  }
  return rules;
}

/** The elements for hostPort; the base chains hold the rules. */
export function nodeFragment({ hostPorts }: NodePlan): Fragment {
  const elements = hostPorts.flatMap((port): Element[] => {
    const from = `${NUMBER[port.protocol]} . ${port.hostPort}`;
    const value = `${port.podIp} . ${port.containerPort}`;
    return [
      hairpin(port.podIp),
      port.hostIp === undefined
        ? { set: 'hostports', key: from, value }
        : { set: 'hostports-at', key: `${port.hostIp} . ${from}`, value },
    ];
  });
  return { ...EMPTY_FRAGMENT, elements };
}

function hairpin(address: string): Element {
  return { set: 'hairpin', key: `${address} . ${address}`, value: '' };
}

/** Hands out ranges of numbers, never one twice until `isSpent`; then the table must be loaded anew, with new numbers. */
export class EndpointNumbers {
  readonly #kept: ReadonlyMap<string, number>;
  #next: number;

  /** `kept`: the ranges that chains have in a table that is to be taken over. */
  constructor(kept: ReadonlyMap<string, number> = new Map()) {
    this.#kept = kept;
    // A range is at most as long as a list of endpoints may be.
    this.#next = kept.size === 0 ? 1 : Math.max(...kept.values()) + 65_536;
  }

  take(chain: string, count: number): number {
    const kept = this.#kept.get(chain);
    if (kept !== undefined) return kept;
    const first = this.#next;
    this.#next += count;
    return first;
  }

  /** The same without the kept ones. */
  onward(): EndpointNumbers {
    const onward = new EndpointNumbers();
    onward.#next = this.#next;
    return onward;
  }

  get isSpent(): boolean {
    return this.#next > 0x7f000000;
  }
}

/** The chains and elements of one service. Lists of endpoints that are in `before` keep their numbers. */
export function serviceFragment(
  service: ServicePlan,
  { clusterCidr }: NodePlan,
  numbers: EndpointNumbers,
  before: Fragment = EMPTY_FRAGMENT,
): Fragment {
  const ranges = new Map<string, EndpointRange>();
  const chains = new Map<string, string[]>();
  const affinitySets = new Map<string, number>();
  const elements: Element[] = [];
  for (const port of service.ports) {
    elements.push(
      ...port.clusterIps.map((key): Element => ({ set: 'cluster-ips', key, value: '' })),
    );
    elements.push(...port.hairpin.map(hairpin), ...destinations(service, port));
    const id = digest(`${service.key}:${port.name}/${port.protocol}`);
    const isExternal = port.externalIps.length > 0 || port.nodePort !== undefined;
    const needsCluster = !service.internalLocal || isExternal;
    const needsLocal = service.internalLocal || (isExternal && service.externalLocal);
    const translate = `meta l4proto ${NUMBER[port.protocol]} dnat`;
    const directRule = (to: Endpoint) => `${translate} to ${to.address}:${to.port}`;
    const balanceRule = (chain: string, endpoints: readonly Endpoint[]) => {
      const set = MAP_OF[port.protocol];
      const values = endpoints.map(({ address, port }) => `${address} . ${port}`);
      const text = values.join();
      const old = before.ranges.get(chain);
      const first = old?.endpoints === text ? old.first : numbers.take(chain, values.length);
      ranges.set(chain, { first, endpoints: text });
      for (const [index, value] of values.entries()) {
        elements.push({ set, key: String(first + index), value });
      }
      return `${translate} ip to numgen random mod ${values.length} offset ${first} map @${set}`;
    };
    const balance = (chain: string, endpoints: readonly Endpoint[]) => {
      if (endpoints.length === 0) return;
      if (service.affinitySeconds === undefined) {
        if (endpoints.length === 1) chains.set(chain, endpoints.map(directRule));
        else chains.set(chain, [balanceRule(chain, endpoints)]);
        return;
      }
      for (const endpoint of endpoints) {
        const each = digest(`${id} ${endpoint.address}:${endpoint.port}`);
        affinitySets.set(`a-${each}`, service.affinitySeconds);
        chains.set(`e-${each}`, [`update @a-${each} { ip saddr }`, directRule(endpoint)]);
      }
      const each = endpoints.map(({ address, port }) => digest(`${id} ${address}:${port}`));
      chains.set(chain, affinityRules(each));
    };
    if (needsCluster) balance(`c-${id}`, port.cluster);
    if (needsLocal) balance(`l-${id}`, port.local);
    if (isExternal && port.cluster.length > 0) {
      chains.set(`x-${id}`, externalRules(service, port, id, clusterCidr));
    }
  }
  return { chains, affinitySets, elements, ranges };
}

/** Which chain each address of the port leads to, or how it is refused. */
function destinations(service: ServicePlan, port: PortPlan): Element[] {
  const id = digest(`${service.key}:${port.name}/${port.protocol}`);
  const number = NUMBER[port.protocol];
  const at = (address: string) => `${address} . ${number} . ${port.port}`;
  // Endpoints elsewhere are no reason to tell a client that nobody listens: it is sent nothing.
  const refusal = port.cluster.length === 0 ? 'goto refuse' : 'drop';
  const elements: Element[] = [];
  const internal = internalEndpoints(service, port).length > 0;
  const chain = service.internalLocal ? 'l' : 'c';
  for (const address of port.clusterIps) {
    elements.push(
      internal
        ? { set: 'services', key: at(address), value: `goto ${chain}-${id}` }
        : { set: 'refused', key: at(address), value: refusal },
    );
  }
  const translated = port.cluster.length > 0;
  const refused = externalEndpoints(service, port).length === 0;
  for (const address of port.externalIps) {
    if (translated) elements.push({ set: 'services', key: at(address), value: `goto x-${id}` });
    if (refused) elements.push({ set: 'refused', key: at(address), value: refusal });
  }
  if (port.nodePort !== undefined) {
    const key = `${number} . ${port.nodePort}`;
    if (translated) elements.push({ set: 'nodeports', key, value: `goto x-${id}` });
    if (refused) elements.push({ set: 'refused-nodeports', key, value: refusal });
  }
  return elements;
}

/**
 * Traffic to an address of the outside. Under externalTrafficPolicy: Local it keeps its source and stays here; what comes from the
 * cluster itself is balanced over all endpoints even then.
 */
function externalRules(
  service: ServicePlan,
  port: PortPlan,
  id: string,
  clusterCidr: string | undefined,
): string[] {
  if (!service.externalLocal) return [SET_MARK, `goto c-${id}`];
  return [
    ...(clusterCidr === undefined ? [] : [`ip saddr ${clusterCidr} goto c-${id}`]),
    `fib saddr type 2 ${SET_MARK}`,
    `fib saddr type 2 goto c-${id}`,
    ...(port.local.length === 0 ? [] : [`goto l-${id}`]),
  ];
}

function affinityRules(each: readonly string[]): string[] {
  if (each.length === 1) return [`goto e-${each[0]}`];
  return [
    ...each.map((id) => `ip saddr @a-${id} goto e-${id}`),
    `numgen random mod ${each.length} vmap { ${each.map((id, index) => `${index} : goto e-${id}`).join(', ')} }`,
  ];
}

/** The first number of each chain that balances, as a table says that was read. */
export function rangesOf(table: NftTable): Map<string, number> {
  const ranges = new Map<string, number>();
  for (const [name, { rules }] of table.chains) {
    const first = / offset (\d+) map @/.exec(rules[0] ?? '')?.[1];
    if (first !== undefined) ranges.set(name, Number(first));
  }
  return ranges;
}

/** The set of clients that an endpoint served lately. Full, it forgets nobody and learns nobody: affinity is then by chance. */
export function affinitySet(seconds: number): NftSet {
  return {
    kind: 'set',
    attributes: ['type ipv4_addr', 'size 65535', 'flags dynamic,timeout', `timeout ${seconds}s`],
    isDynamic: true,
    elements: new Map(),
  };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
