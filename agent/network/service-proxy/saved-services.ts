import {
  type Cidr,
  cidrContains,
  formatCidr,
  isIpv4,
  parseCidr,
} from '../../../shared/meta/cidr.ts';
import type { Protocol } from './proxy-plan.ts';

/** What the proxy reads of a Service; only IPv4 addresses, only what is well formed. */
export interface ProxiedService {
  namespace: string;
  name: string;
  type: string;
  clusterIps: readonly string[];
  /** With those of the load balancer that hand packets on unchanged. */
  externalIps: readonly string[];
  balancerIps: readonly string[];
  /** CIDRs that do not overlap; none: everybody may use the load balancer's addresses. */
  sourceRanges: readonly string[];
  ports: readonly ProxiedPort[];
  affinitySeconds: number | undefined;
  internalLocal: boolean;
  externalLocal: boolean;
  publishNotReady: boolean;
  healthCheckNodePort: number | undefined;
}

export interface ProxiedPort {
  name: string;
  protocol: Protocol;
  port: number;
  nodePort: number | undefined;
}

export interface ProxiedSlice {
  /** `<namespace>/<name>` of its Service; undefined when its label is missing. */
  service: string | undefined;
  endpoints: readonly ProxiedEndpoint[];
  ports: readonly { name: string; protocol: Protocol; port: number }[];
}

export interface ProxiedEndpoint {
  address: string;
  ready: boolean;
  serving: boolean;
  terminating: boolean;
  nodeName: string | undefined;
  podUid: string | undefined;
}

/** ClientIP affinity lasts three hours unless it says otherwise (core/v1 DefaultClientIPServiceAffinitySeconds). */
const DEFAULT_AFFINITY_SECONDS = 10_800;
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** Reads a `services/…` document. Never throws: what is malformed is left out. */
export function readService(document: unknown): ProxiedService {
  const { metadata, spec: specValue, status } = asMap(document);
  const { namespace, name } = asMap(metadata);
  const spec = asMap(specValue);
  const isLoadBalancer = spec['type'] === 'LoadBalancer';
  const { ingress } = asMap(asMap(status)['loadBalancer']);
  const ingressIps = asList(ingress)
    .map(asMap)
    // A proxying balancer has its own connections to the node: its address is not served here (KEP-1860).
    .filter(({ ipMode }) => ipMode !== 'Proxy')
    .map(({ ip }) => ip);
  const balancerIps = isLoadBalancer ? addresses(ingressIps) : [];
  const clusterIps = addresses([spec['clusterIP'], ...asList(spec['clusterIPs'])]);
  const externalIps = addresses([...asList(spec['externalIPs']), ...balancerIps]);
  return {
    namespace: asText(namespace),
    name: asText(name),
    type: asText(spec['type']) || 'ClusterIP',
    clusterIps,
    externalIps: externalIps.filter((address) => !clusterIps.includes(address)),
    balancerIps,
    sourceRanges: isLoadBalancer ? readRanges(asList(spec['loadBalancerSourceRanges'])) : [],
    ports: asList(spec['ports']).flatMap(readPort),
    affinitySeconds: readAffinity(spec),
    internalLocal: spec['internalTrafficPolicy'] === 'Local',
    externalLocal: spec['externalTrafficPolicy'] === 'Local',
    publishNotReady: spec['publishNotReadyAddresses'] === true,
    healthCheckNodePort: isLoadBalancer ? asPort(spec['healthCheckNodePort']) : undefined,
  };
}

function readPort(value: unknown): ProxiedPort[] {
  const { name, protocol, port: number, nodePort } = asMap(value);
  const port = asPort(number);
  if (port === undefined) return [];
  return [{ name: asText(name), protocol: asProtocol(protocol), port, nodePort: asPort(nodePort) }];
}

function readAffinity(spec: Record<string, unknown>): number | undefined {
  if (spec['sessionAffinity'] !== 'ClientIP') return undefined;
  const { timeoutSeconds } = asMap(asMap(spec['sessionAffinityConfig'])['clientIP']);
  return typeof timeoutSeconds === 'number' && timeoutSeconds > 0
    ? timeoutSeconds
    : DEFAULT_AFFINITY_SECONDS;
}

/** Reads an `endpointslices/…` document. Never throws. Slices of other families come out empty. */
export function readSlice(document: unknown): ProxiedSlice {
  const { metadata, addressType, endpoints, ports } = asMap(document);
  const { namespace, labels } = asMap(metadata);
  const service = asMap(labels)[SERVICE_NAME_LABEL];
  return {
    service: typeof service === 'string' ? `${asText(namespace)}/${service}` : undefined,
    endpoints: addressType === 'IPv4' ? asList(endpoints).flatMap(readEndpoint) : [],
    ports: asList(ports).flatMap((value) => {
      const { name, protocol, port: number } = asMap(value);
      const port = asPort(number);
      return port === undefined
        ? []
        : [{ name: asText(name), protocol: asProtocol(protocol), port }];
    }),
  };
}

/** Unknown conditions mean ready, and serving as ready (discovery/v1 EndpointConditions). */
function readEndpoint(value: unknown): ProxiedEndpoint[] {
  const { addresses: list, conditions, nodeName, targetRef } = asMap(value);
  // The addresses of one endpoint are fungible: clients may use the first alone (discovery/v1 Endpoint).
  const address = addresses(asList(list))[0];
  if (address === undefined) return [];
  const { ready: readyValue, serving, terminating } = asMap(conditions);
  const ready = readyValue !== false;
  const { kind, uid } = asMap(targetRef);
  return [
    {
      address,
      ready,
      serving: typeof serving === 'boolean' ? serving : ready,
      terminating: terminating === true,
      nodeName: typeof nodeName === 'string' ? nodeName : undefined,
      podUid: kind === 'Pod' && typeof uid === 'string' ? uid : undefined,
    },
  ];
}

function addresses(values: readonly unknown[]): string[] {
  const found = values.filter(
    (value): value is string => typeof value === 'string' && isIpv4(value),
  );
  return [...new Set(found)];
}

/** IPv4 alone: ranges of the other family say nothing about this one. Spaces around a range are allowed (core/v1 validation). */
function readRanges(values: readonly unknown[]): string[] {
  const ranges: Cidr[] = [];
  for (const value of values) {
    try {
      ranges.push(parseCidr(asText(value).trim()));
    } catch {
      // Validation has refused it, or it is IPv6.
    }
  }
  // Two CIDRs are apart or one holds the other.
  ranges.sort((left, right) => left.prefix - right.prefix);
  const widest: Cidr[] = [];
  for (const range of ranges) {
    if (!widest.some((wide) => cidrContains(wide, range.base))) widest.push(range);
  }
  return widest.some(({ prefix }) => prefix === 0) ? [] : widest.map(formatCidr);
}

function asProtocol(value: unknown): Protocol {
  return value === 'UDP' || value === 'SCTP' ? value : 'TCP';
}

function asPort(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536
    ? value
    : undefined;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function asMap(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
