import { semanticEqual } from '../meta/equality.ts';
import { isIpv4 } from '../meta/names.ts';
import type { Service, ServicePort, ServiceSpec } from '../schema/kubernetes-types.ts';

const DEFAULT_AFFINITY_SECONDS = 10_800;

/** Fills in a service as Kubernetes v1.33 does on a cluster with IPv4 services. The cluster IP itself is allocated elsewhere. */
export function defaultService(service: Service): Service {
  const { sessionAffinityConfig, ...spec } = service.spec ?? {};
  const type = spec.type || 'ClusterIP';
  const sessionAffinity = spec.sessionAffinity || 'None';
  const complete: ServiceSpec = {
    ...spec,
    type,
    sessionAffinity,
    ...(spec.ports && { ports: spec.ports.map(defaultPort) }),
    ...(sessionAffinity === 'ClientIP' && {
      sessionAffinityConfig:
        sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined
          ? { clientIP: { timeoutSeconds: DEFAULT_AFFINITY_SECONDS } }
          : sessionAffinityConfig,
    }),
    ...(sessionAffinity !== 'ClientIP' &&
      sessionAffinity !== 'None' &&
      sessionAffinityConfig && { sessionAffinityConfig }),
    ...(isExternallyAccessible(type, spec) && {
      externalTrafficPolicy: spec.externalTrafficPolicy || 'Cluster',
    }),
    ...(type !== 'ExternalName' && {
      internalTrafficPolicy: spec.internalTrafficPolicy ?? 'Cluster',
    }),
    ...(type === 'LoadBalancer' && {
      allocateLoadBalancerNodePorts: spec.allocateLoadBalancerNodePorts ?? true,
    }),
  };
  return {
    ...service,
    spec:
      type === 'ExternalName' ? withClusterIps(complete) : withFamilies(withClusterIps(complete)),
  };
}

/** Reached from outside: by node port, load balancer or an external address. */
export function isExternallyAccessible(
  type: string | undefined,
  spec: Pick<ServiceSpec, 'externalIPs'>,
): boolean {
  return (
    type === 'LoadBalancer' ||
    type === 'NodePort' ||
    (type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0)
  );
}

/** Nodes tell the load balancer at a port of its own whether they have endpoints. */
export function needsHealthCheckPort({ type, externalTrafficPolicy }: ServiceSpec): boolean {
  return type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
}

/**
 * What was allocated for the previous spec stays when the client leaves it out; what the new type does not need goes
 * (service/storage patchAllocatedValues, normalizeClusterIPs and dropTypeDependentFields).
 */
export function carryAllocated(next: ServiceSpec, previous: ServiceSpec): ServiceSpec {
  const type = next.type || 'ClusterIP';
  const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy, externalTrafficPolicy, ...rest } =
    next;
  const keepsPolicy =
    isExternallyAccessible(type, next) ||
    !isExternallyAccessible(previous.type, previous) ||
    externalTrafficPolicy !== previous.externalTrafficPolicy;
  const kept = withoutLoadBalancer(rest, type, externalTrafficPolicy, previous);
  const { internalTrafficPolicy, ...unnamed } = kept;
  const isLeftOver =
    type === 'ExternalName' && internalTrafficPolicy === previous.internalTrafficPolicy;
  return {
    ...(isLeftOver ? unnamed : kept),
    ...(externalTrafficPolicy && keepsPolicy && { externalTrafficPolicy }),
    ...(rest.ports && { ports: carryNodePorts(rest.ports, next, previous) }),
    ...carryClusterIps(next, previous, type),
  };
}

/** What only a load balancer has goes with the type, unless the client changes it in the same write. */
function withoutLoadBalancer(
  next: ServiceSpec,
  type: string,
  policy: string | undefined,
  previous: ServiceSpec,
): ServiceSpec {
  const kept: ServiceSpec = { ...next };
  if (previous.type === 'LoadBalancer' && type !== 'LoadBalancer') {
    for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass'] as const) {
      if (kept[field] === previous[field]) delete kept[field];
    }
  }
  const had = previous.type === 'LoadBalancer' && previous.externalTrafficPolicy === 'Local';
  const has = type === 'LoadBalancer' && policy === 'Local';
  if (had && !has && kept.healthCheckNodePort === previous.healthCheckNodePort) {
    delete kept.healthCheckNodePort;
  }
  return kept;
}

function defaultPort(port: ServicePort): ServicePort {
  return {
    ...port,
    protocol: port.protocol || 'TCP',
    targetPort: port.targetPort || port.port,
  };
}

/** clusterIP and the first of clusterIPs are the same. */
function withClusterIps(spec: ServiceSpec): ServiceSpec {
  const { clusterIP, clusterIPs } = spec;
  if (clusterIP && !clusterIPs?.length) return { ...spec, clusterIPs: [clusterIP] };
  return spec;
}

/** A headless service without a selector may point anywhere, so it gets both families, as in Kubernetes. */
function withFamilies(spec: ServiceSpec): ServiceSpec {
  const hasSelector = Object.keys(spec.selector ?? {}).length > 0;
  const isOpen = spec.clusterIP === 'None' && !hasSelector;
  const ipFamilyPolicy = spec.ipFamilyPolicy ?? (isOpen ? 'RequireDualStack' : 'SingleStack');
  const ofAddresses = (spec.clusterIPs ?? [])
    .filter((ip) => ip !== 'None' && ip !== '')
    .map((ip) => (isIpv4(ip) ? 'IPv4' : 'IPv6'));
  const known = spec.ipFamilies?.length ? spec.ipFamilies : [...new Set(ofAddresses)];
  const families = known.length > 0 ? known : ['IPv4'];
  const second = families[0] === 'IPv4' ? 'IPv6' : 'IPv4';
  const needsSecond = isOpen && families.length < 2 && ipFamilyPolicy !== 'SingleStack';
  return { ...spec, ipFamilyPolicy, ipFamilies: needsSecond ? [...families, second] : families };
}

function carryClusterIps(
  next: ServiceSpec,
  previous: ServiceSpec,
  type: string,
): Partial<ServiceSpec> {
  if (previous.type !== 'ExternalName' && type !== 'ExternalName') {
    return keptAddresses(next, previous);
  }
  const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy } = next;
  const own = present({ clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy });
  return type === 'ExternalName' ? withoutSame(own, previous) : own;
}

/** A changed clusterIP with the old list means the new address alone. */
function keptAddresses(next: ServiceSpec, previous: ServiceSpec): Partial<ServiceSpec> {
  const clusterIP = next.clusterIP || previous.clusterIP;
  const isSame = clusterIP === previous.clusterIP;
  const listed = next.clusterIPs?.length ? next.clusterIPs : previous.clusterIPs;
  const isStale = !isSame && semanticEqual(listed, previous.clusterIPs);
  return present({
    clusterIP,
    clusterIPs: isStale && clusterIP ? [clusterIP] : listed,
    ipFamilies: next.ipFamilies ?? (isSame ? previous.ipFamilies : undefined),
    ipFamilyPolicy: next.ipFamilyPolicy ?? previous.ipFamilyPolicy,
  });
}

/** Without the fields that are absent or empty. */
function present(
  fields: { [K in keyof ServiceSpec]?: ServiceSpec[K] | undefined },
): Partial<ServiceSpec> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''),
  );
}

/** The fields that differ from the previous ones: those the client set for a reason. */
function withoutSame(own: Partial<ServiceSpec>, previous: ServiceSpec): Partial<ServiceSpec> {
  const entries = Object.entries(own) as [keyof ServiceSpec, unknown][];
  return Object.fromEntries(entries.filter(([key, value]) => !semanticEqual(value, previous[key])));
}

function carryNodePorts(
  ports: readonly ServicePort[],
  next: ServiceSpec,
  previous: ServiceSpec,
): ServicePort[] {
  const needsPort = ({ type }: ServiceSpec): boolean =>
    type === 'NodePort' || type === 'LoadBalancer';
  if (!needsPort(previous)) return [...ports];
  const portOf = (list: readonly ServicePort[] | undefined): number[] =>
    (list ?? []).flatMap(({ nodePort }) => (nodePort ? [nodePort] : []));
  if (!needsPort(next)) {
    const isSame = semanticEqual(portOf(ports), portOf(previous.ports));
    return isSame ? ports.map(({ nodePort: _nodePort, ...port }) => port) : [...ports];
  }
  const taken = new Set(portOf(ports));
  return ports.map((port) => {
    if (port.nodePort) return port;
    const before = previous.ports?.find(({ name }) => (name ?? '') === (port.name ?? ''))?.nodePort;
    return before && !taken.has(before) ? { ...port, nodePort: before } : port;
  });
}
