import { cidrContains, parseCidr, parseIpv4 } from '../../../shared/meta/cidr.ts';

/** What the service proxy shall do on this node, in terms of no backend. All addresses are IPv4. Values are immutable: a part that did not change is the same object. */
export interface ProxyPlan {
  /** By `<namespace>/<name>`. */
  services: ReadonlyMap<string, ServicePlan>;
  node: NodePlan;
}

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

export interface Endpoint {
  address: string;
  port: number;
}

export interface ServicePlan {
  /** `<namespace>/<name>`. */
  key: string;
  ports: readonly PortPlan[];
  /** Clients stay with the endpoint that served them in the last so many seconds; undefined: no affinity. */
  affinitySeconds: number | undefined;
  /** internalTrafficPolicy: Local. */
  internalLocal: boolean;
  /** externalTrafficPolicy: Local. */
  externalLocal: boolean;
  /** undefined: everybody may use every address. */
  guard: SourceGuard | undefined;
  healthCheck: HealthCheckPlan | undefined;
}

/** loadBalancerSourceRanges: who may use the addresses of the load balancer. */
export interface SourceGuard {
  /** Among the externalIps of its ports. */
  addresses: readonly string[];
  /** CIDRs that do not overlap. */
  ranges: readonly string[];
}

export interface PortPlan {
  /** Name of the service port; '' for the only one. */
  name: string;
  protocol: Protocol;
  port: number;
  clusterIps: readonly string[];
  /** externalIPs and the addresses of a load balancer that hands packets on unchanged. */
  externalIps: readonly string[];
  nodePort: number | undefined;
  /** Every endpoint that may serve, ordered by address. */
  cluster: readonly Endpoint[];
  /** Those on this node that may serve. */
  local: readonly Endpoint[];
  /** Addresses of pods of this node among both: one that reaches itself needs its source rewritten. */
  hairpin: readonly string[];
}

export interface HealthCheckPlan {
  port: number;
  namespace: string;
  name: string;
  /** Ready endpoints on this node. */
  localEndpoints: number;
}

export interface HostPort {
  protocol: Protocol;
  /** undefined: every address of the node. */
  hostIp: string | undefined;
  hostPort: number;
  podIp: string;
  containerPort: number;
}

/** What the table needs to know of the node itself; undefined is not known yet. */
export interface NodePlan {
  nodeIp: string | undefined;
  podCidr: string | undefined;
  clusterCidr: string | undefined;
  hostPorts: readonly HostPort[];
}

/** The endpoints that traffic to a cluster IP may use. */
export function internalEndpoints(service: ServicePlan, port: PortPlan): readonly Endpoint[] {
  return service.internalLocal ? port.local : port.cluster;
}

/** The endpoints that traffic from outside the cluster may use. */
export function externalEndpoints(service: ServicePlan, port: PortPlan): readonly Endpoint[] {
  return service.externalLocal ? port.local : port.cluster;
}

/**
 * Who may use a guarded address, as CIDRs that do not overlap. A node that has the address reaches it with the address itself as its
 * source: it may when the node's own address may, as with kube-proxy.
 */
export function admittedSources(
  { ranges }: SourceGuard,
  address: string,
  nodeIp: string | undefined,
): readonly string[] {
  const admits = (source: string) =>
    ranges.some((range) => cidrContains(parseCidr(range), parseIpv4(source)));
  const isOwn = nodeIp !== undefined && admits(nodeIp) && !admits(address);
  return isOwn ? [...ranges, `${address}/32`] : ranges;
}
