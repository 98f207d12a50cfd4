import { createHash } from 'node:crypto';
import type { NftChain, NftSet, NftTable } from './nft-table.ts';
import {
  admittedSources,
  type Endpoint,
  externalEndpoints,
  internalEndpoints,
  type NodePlan,
  type PortPlan,
  type Protocol,
  type ServicePlan,
  type SourceGuard,
} from './proxy-plan.ts';

/** What one service, or the node itself, puts into the table. */
export interface Fragment {
  /** By name. Several fragments may hold the same chain: then its name says what is in it. */
  chains: ReadonlyMap<string, readonly string[]>;
  /** Elements of the shared sets. */
  elements: readonly Element[];
}

export const EMPTY_FRAGMENT: Fragment = { chains: new Map(), elements: [] };

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

const TO_ADDRESS = 'ip daddr . meta l4proto . th dport';
const TO_PORT = 'meta l4proto . th dport';
/** The type of a number by chance has no name: it is said by example (`typeof`). */
const CHANCE = 'numgen random mod 65536';

const DESTINATION = 'ipv4_addr . inet_proto . inet_service';
const SHARED_SETS = {
  /** Holds one number, replaced with each change: a change fails when somebody else has touched the table's life. */
  stamp: { kind: 'set', attributes: ['type mark'] },
  'cluster-ips': { kind: 'set', attributes: ['type ipv4_addr'] },
  hairpin: { kind: 'set', attributes: ['type ipv4_addr . ipv4_addr'] },
  services: { kind: 'map', attributes: [`type ${DESTINATION} : verdict`] },
  nodeports: { kind: 'map', attributes: ['type inet_proto . inet_service : verdict'] },
  /** Chains that are tried before the two above: those of services with session affinity. */
  sticky: { kind: 'map', attributes: [`type ${DESTINATION} : verdict`] },
  'sticky-nodeports': { kind: 'map', attributes: ['type inet_proto . inet_service : verdict'] },
  'tcp-endpoints': endpointMap('ip daddr . tcp dport', 'tcp'),
  'udp-endpoints': endpointMap('ip daddr . udp dport', 'udp'),
  'sctp-endpoints': endpointMap('ip daddr . sctp dport', 'sctp'),
  'tcp-nodeport-endpoints': endpointMap('tcp dport', 'tcp'),
  'udp-nodeport-endpoints': endpointMap('udp dport', 'udp'),
  'sctp-nodeport-endpoints': endpointMap('sctp dport', 'sctp'),
  refused: { kind: 'map', attributes: [`type ${DESTINATION} : verdict`] },
  'refused-nodeports': { kind: 'map', attributes: ['type inet_proto . inet_service : verdict'] },
  /** Addresses of load balancers that only some sources may use, and those sources. */
  guarded: { kind: 'set', attributes: [`type ${DESTINATION}`] },
  admitted: { kind: 'set', attributes: [`type ${DESTINATION} . ipv4_addr`, 'flags interval'] },
  hostports: {
    kind: 'map',
    attributes: ['type inet_proto . inet_service : ipv4_addr . inet_service'],
  },
  'hostports-at': { kind: 'map', attributes: [`type ${DESTINATION} : ipv4_addr . inet_service`] },
} as const satisfies Record<string, { kind: 'set' | 'map'; attributes: readonly string[] }>;

/** From what was asked for and a number to an endpoint. One for each protocol: nft takes no other port than `th dport`’s own type. */
function endpointMap(key: string, protocol: string) {
  const attributes = [`typeof ${key} . ${CHANCE} : ip daddr . ${protocol} dport`];
  return { kind: 'map', attributes } as const;
}

/**
 * Which endpoint served which client lately, for all services: a set of its own for each endpoint would cost the kernel a walk over all
 * sets with each that is added. Filled by packets; full, it forgets nobody and learns nobody, and balance is by chance.
 */
const AFFINITY: NftSet = {
  kind: 'set',
  attributes: [`typeof ip saddr . ${CHANCE}`, 'size 131072', 'flags dynamic,timeout'],
  isDynamic: true,
  elements: new Map(),
};

const KNOWN_PROTOCOLS = 'meta l4proto { 6, 17, 132 }';
/** RTN_LOCAL (2): an address of this machine. What comes over lo alone is no node port, as in kube-proxy's nftables mode. */
const TO_NODE = 'fib daddr type 2 ip daddr != 127.0.0.0/8';
const NEW = 'ct state 0x8';

/** The table without services: sets, base chains and what the node's own facts decide. */
export function baseTable(node: NodePlan): NftTable {
  const sets = new Map<string, NftSet>();
  for (const [name, set] of Object.entries(SHARED_SETS)) {
    sets.set(name, { ...set, isDynamic: false, elements: new Map() });
  }
  sets.set('affinity', AFFINITY);
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
    `${TO_ADDRESS} @guarded ${TO_ADDRESS} . ip saddr != @admitted drop`,
    `${TO_ADDRESS} vmap @sticky`,
    `${TO_ADDRESS} vmap @services`,
    `${KNOWN_PROTOCOLS} dnat ip to ${TO_ADDRESS} map @hostports-at`,
    `${TO_NODE} ${KNOWN_PROTOCOLS} dnat ip to ${TO_PORT} map @hostports`,
    `${TO_NODE} ${TO_PORT} vmap @sticky-nodeports`,
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
    // The packet that VXLAN wraps it in inherits the mark, and must not be rewritten too: its checksum would be wrong.
    `meta mark & ${MASQUERADE} == ${MASQUERADE} meta mark set meta mark ^ ${MASQUERADE}`,
    'ip saddr . ip daddr @hairpin',
  ];
  for (const match of wantsRewriting) {
    if (nodeIp !== undefined && podCidr !== undefined) {
      rules.push(`ip daddr ${podCidr} ${match} snat to ${nodeIp} fully-random`);
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
  return { chains: new Map(), elements };
}

function hairpin(address: string): Element {
  return { set: 'hairpin', key: `${address} . ${address}`, value: '' };
}

/** Whether a destination is an address with a port, or a port of the node; and the sets for it. */
interface Space {
  name: 'address' | 'nodeport';
  verdicts: SharedSet;
  sticky: SharedSet;
  refused: SharedSet;
}

const BY_ADDRESS: Space = {
  name: 'address',
  verdicts: 'services',
  sticky: 'sticky',
  refused: 'refused',
};
const BY_NODE_PORT: Space = {
  name: 'nodeport',
  verdicts: 'nodeports',
  sticky: 'sticky-nodeports',
  refused: 'refused-nodeports',
};
/** As nft calls them. */
const PROTOCOL = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const satisfies Record<
  Protocol,
  string
>;

/** Where the numbers begin of endpoints on this node, for destinations that tell them from the others. */
const LOCAL_OFFSET = 32_768;

/**
 * The chains and elements of one service. A destination has one element for each endpoint, with its number in the key; how to pick a
 * number depends on how many there are and on nothing else, so services share those chains. Rules are what makes a load slow: the
 * kernel walks through a map again for every chain that uses it, and a service without rules of its own is some elements only.
 */
export function serviceFragment(service: ServicePlan, node: NodePlan): Fragment {
  const chains = new Map<string, readonly string[]>();
  const elements: Element[] = [];
  for (const port of service.ports) {
    const number = NUMBER[port.protocol];
    const build = new PortRules({ service, port, node, chains, elements });
    for (const address of port.clusterIps) {
      elements.push({ set: 'cluster-ips', key: address, value: '' });
      build.internal(address);
    }
    for (const address of port.externalIps) {
      const key = `${address} . ${number} . ${port.port}`;
      build.external({ space: BY_ADDRESS, key, endpointKey: `${address} . ${port.port}` });
      if (service.guard?.addresses.includes(address))
        elements.push(...guardElements(service.guard, node, address, key));
    }
    if (port.nodePort !== undefined) {
      const endpointKey = String(port.nodePort);
      build.external({ space: BY_NODE_PORT, key: `${number} . ${port.nodePort}`, endpointKey });
    }
    elements.push(...port.hairpin.map(hairpin));
  }
  return { chains, elements };
}

interface Destination {
  space: Space;
  /** In the sets of verdicts. */
  key: string;
  /** In the maps of endpoints, before the number. */
  endpointKey: string;
}

class PortRules {
  readonly #service: ServicePlan;
  readonly #port: PortPlan;
  readonly #clusterCidr: string | undefined;
  readonly #chains: Map<string, readonly string[]>;
  readonly #elements: Element[];

  constructor(parts: {
    service: ServicePlan;
    port: PortPlan;
    node: NodePlan;
    chains: Map<string, readonly string[]>;
    elements: Element[];
  }) {
    this.#service = parts.service;
    this.#port = parts.port;
    this.#clusterCidr = parts.node.clusterCidr;
    this.#chains = parts.chains;
    this.#elements = parts.elements;
  }

  /** A cluster IP. */
  internal(address: string): void {
    const { protocol, port } = this.#port;
    const key = `${address} . ${NUMBER[protocol]} . ${port}`;
    const to = { space: BY_ADDRESS, key, endpointKey: `${address} . ${port}` };
    const endpoints = internalEndpoints(this.#service, this.#port);
    if (endpoints.length === 0) {
      this.#refuse(to);
      return;
    }
    this.#list(to, endpoints, 0);
    this.#element('services', key, `goto ${this.#pick(BY_ADDRESS, endpoints.length, 0)}`);
    if (this.#service.affinitySeconds === undefined) return;
    const chain = this.#sticky(this.#service.internalLocal ? 'local' : 'cluster', endpoints);
    this.#element('sticky', key, `jump ${chain}`);
  }

  /** An external IP or a node port. */
  external(to: Destination): void {
    const { space, key } = to;
    const { cluster, local } = this.#port;
    if (externalEndpoints(this.#service, this.#port).length === 0) this.#refuse(to);
    if (cluster.length === 0) return;
    this.#list(to, cluster, 0);
    const all = this.#pick(space, cluster.length, 0);
    let here: string | undefined;
    let name = `${this.#prefix(space)}-external-${cluster.length}`;
    if (this.#service.externalLocal) {
      this.#list(to, local, LOCAL_OFFSET);
      if (local.length > 0) here = this.#pick(space, local.length, LOCAL_OFFSET);
      name = `${this.#prefix(space)}-outside-${cluster.length}-${local.length}`;
    }
    this.#chains.set(name, this.#externalRules(all, here));
    this.#element(space.verdicts, key, `goto ${name}`);
    if (this.#service.affinitySeconds === undefined) return;
    const stickyAll = this.#sticky('cluster', cluster);
    const stickyHere = local.length > 0 ? this.#sticky('local', local) : undefined;
    const sticky = this.#ownName('external');
    this.#chains.set(sticky, this.#externalRules(stickyAll, stickyHere));
    this.#element(space.sticky, key, `jump ${sticky}`);
  }

  /**
   * Traffic to an address of the outside. Under externalTrafficPolicy: Local it keeps its source and stays here; what comes from the
   * cluster itself is balanced over all endpoints even then.
   */
  #externalRules(all: string, here: string | undefined): string[] {
    if (!this.#service.externalLocal) return [SET_MARK, `goto ${all}`];
    return [
      ...(this.#clusterCidr === undefined ? [] : [`ip saddr ${this.#clusterCidr} goto ${all}`]),
      `fib saddr type 2 ${SET_MARK}`,
      `fib saddr type 2 goto ${all}`,
      ...(here === undefined ? [] : [`goto ${here}`]),
    ];
  }

  /** The shared chain for so many endpoints. */
  #pick(space: Space, count: number, offset: number): string {
    const scope = offset === 0 ? 'cluster' : 'local';
    const name = `${this.#prefix(space)}-${scope}-${count}`;
    const from = offset === 0 ? '' : ` offset ${offset}`;
    const asked = `${space.name === 'address' ? 'ip daddr . ' : ''}${PROTOCOL[this.#port.protocol]} dport`;
    const pick = (of: number) =>
      `dnat ip to ${asked} . numgen random mod ${of}${from} map @${this.#endpointSet(space)}`;
    // A packet that a change overtakes may pick a number that is no more; the first one stays as long as there is any.
    this.#chains.set(name, count === 1 ? [pick(1)] : [pick(count), pick(1)]);
    return name;
  }

  /**
   * The service's own chain: first whoever was served here before, then the others by chance, remembered. An endpoint's number in the set
   * of clients is a part of its digest: two that had the same would only share clients. A rule says a constant in a key as the only number
   * that chance can choose. Nothing is chosen when the set is full; then the shared chains choose.
   */
  #sticky(scope: 'cluster' | 'local', endpoints: readonly Endpoint[]): string {
    const name = this.#ownName(scope);
    const id = this.#ownName('cluster');
    const protocol = `meta l4proto ${NUMBER[this.#port.protocol]}`;
    const ways = endpoints.map(({ address, port }) => {
      const number = Number.parseInt(digest(`${id} ${address}:${port}`).slice(0, 8), 16);
      const key = `ip saddr . numgen random mod 1${number === 0 ? '' : ` offset ${number}`}`;
      const learn = `update @affinity { ${key} timeout ${this.#service.affinitySeconds}s }`;
      return { key, end: `${learn} dnat to ${address}:${port}` };
    });
    this.#chains.set(name, [
      ...ways.map(({ key, end }) => `${protocol} ${key} @affinity ${end}`),
      ...ways.map(({ end }, index) => {
        const left = ways.length - index;
        return left === 1 ? `${protocol} ${end}` : `${protocol} numgen random mod ${left} 0 ${end}`;
      }),
    ]);
    return name;
  }

  #ownName(scope: string): string {
    return `${scope}-${digest(`${this.#service.key}:${this.#port.name}/${this.#port.protocol}`)}`;
  }

  #prefix(space: Space): string {
    return `${PROTOCOL[this.#port.protocol]}-${space.name}`;
  }

  #endpointSet({ name }: Space): SharedSet {
    const protocol = PROTOCOL[this.#port.protocol];
    return name === 'address' ? `${protocol}-endpoints` : `${protocol}-nodeport-endpoints`;
  }

  #list({ space, endpointKey }: Destination, endpoints: readonly Endpoint[], offset: number): void {
    const set = this.#endpointSet(space);
    for (const [index, { address, port }] of endpoints.entries()) {
      this.#element(set, `${endpointKey} . ${offset + index}`, `${address} . ${port}`);
    }
  }

  /** Endpoints elsewhere are no reason to tell a client that nobody listens: it is sent nothing. */
  #refuse({ space, key }: Destination): void {
    this.#element(space.refused, key, this.#port.cluster.length === 0 ? 'goto refuse' : 'drop');
  }

  #element(set: SharedSet, key: string, value: string): void {
    this.#elements.push({ set, key, value });
  }
}

/** The node itself reaches the address with the address as its source, where it has that address: it is admitted as the node is. */
function guardElements(
  guard: SourceGuard,
  { nodeIp }: NodePlan,
  address: string,
  key: string,
): Element[] {
  const sources = admittedSources(guard, address, nodeIp);
  return [
    { set: 'guarded', key, value: '' },
    ...sources.map(
      (source): Element => ({
        set: 'admitted',
        key: `${key} . ${source.replace(/\/32$/, '')}`,
        value: '',
      }),
    ),
  ];
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
