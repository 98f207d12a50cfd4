import { parseIpv4 } from '../../../shared/meta/cidr.ts';
import { semanticEqual } from '../../../shared/meta/equality.ts';
import type { LocalPod } from '../../pods/collaborators.ts';
import type {
  Endpoint,
  HealthCheckPlan,
  NodePlan,
  PortPlan,
  Protocol,
  ProxyPlan,
  ServicePlan,
  SourceGuard,
} from './proxy-plan.ts';
import type { ProxiedEndpoint, ProxiedService, ProxiedSlice } from './saved-services.ts';

export interface ServiceFacts {
  service: ProxiedService;
  slices: readonly ProxiedSlice[];
  nodeName: string;
  /** Answered by the node itself: never proxied. */
  dnsAddress: string | undefined;
  /** Outranks what a slice says; undefined: no opinion. */
  localPod(uid: string): LocalPod | undefined;
  /** A remote endpoint that stopped answering. */
  isSilent(endpoint: Endpoint, protocol: Protocol): boolean;
}

/**
 * The plan of one service; undefined when nothing is to be proxied (headless, ExternalName, no address). Equal facts give equal plans:
 * endpoints are ordered by address, whatever the order of slices.
 */
export function planService(facts: ServiceFacts): ServicePlan | undefined {
  const { service } = facts;
  const clusterIps = service.clusterIps.filter((address) => address !== facts.dnsAddress);
  if (service.type === 'ExternalName' || clusterIps.length === 0) return undefined;
  let localReady = 0;
  const ports = service.ports.map((port): PortPlan => {
    const chosen = chooseEndpoints(candidates(facts, port.name, port.protocol));
    localReady = Math.max(localReady, chosen.localReady);
    const { cluster, local, hairpin } = chosen;
    const { name, protocol, nodePort } = port;
    const { externalIps } = service;
    return {
      name,
      protocol,
      port: port.port,
      clusterIps,
      externalIps,
      nodePort,
      cluster,
      local,
      hairpin,
    };
  });
  return {
    key: `${service.namespace}/${service.name}`,
    ports,
    affinitySeconds: service.affinitySeconds,
    internalLocal: service.internalLocal,
    externalLocal: service.externalLocal,
    guard: sourceGuard(service),
    healthCheck: healthCheck(service, localReady),
  };
}

interface Candidate extends Endpoint {
  ready: boolean;
  serving: boolean;
  terminating: boolean;
  isLocal: boolean;
  isSilent: boolean;
}

function candidates(facts: ServiceFacts, portName: string, protocol: Protocol): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const slice of facts.slices) {
    const port = slice.ports.find((each) => each.name === portName && each.protocol === protocol);
    if (port === undefined) continue;
    for (const endpoint of slice.endpoints) {
      const candidate = candidateOf(facts, endpoint, port.port, protocol);
      if (candidate === undefined) continue;
      const key = `${candidate.address}:${candidate.port}`;
      // An endpoint may be in two slices while it moves between them; the better news is the later one.
      if (!(found.get(key)?.ready ?? false)) found.set(key, candidate);
    }
  }
  return [...found.values()].sort(byAddress);
}

function candidateOf(
  facts: ServiceFacts,
  endpoint: ProxiedEndpoint,
  port: number,
  protocol: Protocol,
): Candidate | undefined {
  const isLocal = endpoint.nodeName === facts.nodeName;
  const pod =
    isLocal && endpoint.podUid !== undefined ? facts.localPod(endpoint.podUid) : undefined;
  if (pod === undefined) {
    const { address, ready, serving, terminating } = endpoint;
    const isSilent = !isLocal && facts.isSilent({ address, port }, protocol);
    return { address, port, ready, serving, terminating, isLocal, isSilent };
  }
  if (pod.address === undefined) return undefined;
  return {
    address: pod.address,
    port,
    ready: facts.service.publishNotReady || (pod.ready && !pod.terminating),
    serving: pod.ready,
    terminating: pod.terminating,
    isLocal,
    isSilent: false,
  };
}

/** Ready ones; without any, those that end and still serve (KEP-1669), for all and for this node's alike. */
function chooseEndpoints(all: readonly Candidate[]): {
  cluster: Endpoint[];
  local: Endpoint[];
  hairpin: string[];
  localReady: number;
} {
  const cluster = heard(usable(all));
  const locals = all.filter(({ isLocal }) => isLocal);
  const local = usable(locals);
  const hairpin = [...cluster, ...local].filter(({ isLocal }) => isLocal);
  return {
    cluster: cluster.map(plain),
    local: local.map(plain),
    hairpin: [...new Set(hairpin.map(({ address }) => address))],
    localReady: locals.filter(({ ready }) => ready).length,
  };
}

function usable(all: readonly Candidate[]): Candidate[] {
  const ready = all.filter((endpoint) => endpoint.ready);
  return ready.length > 0
    ? ready
    : all.filter(({ serving, terminating }) => serving && terminating);
}

/** Passes over the silent ones, unless nobody would be left: then the last known are better than none. */
function heard(endpoints: Candidate[]): Candidate[] {
  const answering = endpoints.filter(({ isSilent }) => !isSilent);
  return answering.length > 0 ? answering : endpoints;
}

function plain({ address, port }: Candidate): Endpoint {
  return { address, port };
}

function byAddress(left: Endpoint, right: Endpoint): number {
  return parseIpv4(left.address) - parseIpv4(right.address) || left.port - right.port;
}

function sourceGuard({ balancerIps, sourceRanges }: ProxiedService): SourceGuard | undefined {
  if (balancerIps.length === 0 || sourceRanges.length === 0) return undefined;
  return { addresses: balancerIps, ranges: sourceRanges };
}

function healthCheck(service: ProxiedService, localEndpoints: number): HealthCheckPlan | undefined {
  const { healthCheckNodePort: port, namespace, name } = service;
  if (port === undefined || !service.externalLocal) return undefined;
  return { port, namespace, name, localEndpoints };
}

/** Something that two services want: an address with protocol and port, or a port of every node. */
export interface Conflict {
  what: string;
  keptBy: string;
  lostBy: string;
}

/**
 * All services together. What two of them claim stays with the first by key, and the other goes without that address: a plan never says
 * two things about one destination.
 */
export function assemblePlan(
  services: ReadonlyMap<string, ServicePlan>,
  node: NodePlan,
): { plan: ProxyPlan; conflicts: Conflict[] } {
  const owners = new Map<string, string>();
  const conflicts: Conflict[] = [];
  for (const service of services.values()) {
    for (const claim of claimsOf(service)) {
      const owner = owners.get(claim);
      if (owner === undefined) owners.set(claim, service.key);
      else if (owner !== service.key) {
        const [keptBy, lostBy] = owner < service.key ? [owner, service.key] : [service.key, owner];
        owners.set(claim, keptBy);
        conflicts.push({ what: claim, keptBy, lostBy });
      }
    }
  }
  if (conflicts.length === 0) return { plan: { services, node }, conflicts };
  const resolved = new Map(services);
  for (const key of new Set(conflicts.map(({ lostBy }) => lostBy))) {
    const service = services.get(key);
    if (service !== undefined) resolved.set(key, withoutLost(service, owners));
  }
  return { plan: { services: resolved, node }, conflicts };
}

function* claimsOf(service: ServicePlan): Generator<string> {
  for (const port of service.ports) {
    for (const address of port.clusterIps) yield claim(port, address, port.port);
    for (const address of port.externalIps) yield claim(port, address, port.port);
    if (port.nodePort !== undefined) yield claim(port, '*', port.nodePort);
  }
}

function claim({ protocol }: PortPlan, address: string, port: number): string {
  return `${address}:${port}/${protocol}`;
}

function withoutLost(service: ServicePlan, owners: ReadonlyMap<string, string>): ServicePlan {
  const ports = service.ports.map((port): PortPlan => {
    const keeps = (address: string, number: number) =>
      owners.get(claim(port, address, number)) === service.key;
    const { nodePort } = port;
    return {
      ...port,
      clusterIps: port.clusterIps.filter((address) => keeps(address, port.port)),
      externalIps: port.externalIps.filter((address) => keeps(address, port.port)),
      nodePort: nodePort !== undefined && keeps('*', nodePort) ? nodePort : undefined,
    };
  });
  return { ...service, ports };
}

/** `previous` when it says the same: whoever compares by identity sees no change. */
export function keepIfSame<Value>(previous: Value | undefined, next: Value): Value {
  return previous !== undefined && semanticEqual(previous, next) ? previous : next;
}
