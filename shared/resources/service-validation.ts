import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldInvalidEach,
  fieldNotSupported,
  fieldRequired,
  goQuote,
  goStringSlice,
  validateEnum,
} from '../meta/field-error.ts';
import {
  checkCidr,
  checkDns1123Label,
  checkDns1123Subdomain,
  checkIp,
  checkPortNumber,
  checkQualifiedName,
  isIpv4,
  nameIsDns1035Label,
} from '../meta/names.ts';
import {
  validateLabels,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../meta/object-meta.ts';
import type { Service, ServicePort, ServiceSpec } from '../schema/kubernetes-types.ts';
import { validateReachableIp } from './endpoint-address.ts';
import { validatePort } from './handler-validation.ts';
import { isExternallyAccessible } from './service-defaults.ts';

/** core validation, ValidateService. */
export function validateService(service: Service): FieldError[] {
  const { spec } = service;
  return [
    ...validateObjectMeta(service.metadata, true, nameIsDns1035Label),
    ...validateShape(spec),
    ...validatePorts(spec),
    ...validateLabels(spec.selector, 'spec.selector'),
    ...validateAffinity(spec),
    ...validateClusterIps(spec),
    ...(spec.externalIPs ?? []).flatMap((ip, index) =>
      validateReachableIp(ip, `spec.externalIPs[${index}]`),
    ),
    ...validateEnum('spec.type', spec.type, TYPES),
    ...validateNodePorts(spec),
    ...validatePortPairs(spec.ports ?? []),
    ...validateLoadBalancer(spec),
    ...validateTraffic(spec),
  ];
}

/** core validation, ValidateServiceUpdate: the address of a service stays what it is. */
export function validateServiceUpdate(next: Service, previous: Service): FieldError[] {
  const errors = validateObjectMetaUpdate(next.metadata, previous.metadata);
  const isExternalName = (service: Service): boolean => service.spec.type === 'ExternalName';
  if (!isExternalName(next) && !isExternalName(previous)) {
    errors.push(
      ...validateAddressChange(next.spec, previous.spec),
      ...validateFamilyChange(next.spec, previous.spec),
    );
  }
  const loadBalancerClass = next.spec.loadBalancerClass;
  if (
    next.spec.type === 'LoadBalancer' &&
    previous.spec.type === 'LoadBalancer' &&
    loadBalancerClass !== previous.spec.loadBalancerClass
  ) {
    errors.push(
      fieldInvalid('spec.loadBalancerClass', loadBalancerClass, 'may not change once set'),
    );
  }
  return [...errors, ...validateService(next)];
}

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const FAMILIES = ['IPv4', 'IPv6'];
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const MAX_AFFINITY_SECONDS = 86_400;

function isHeadless({ clusterIPs }: ServiceSpec): boolean {
  return clusterIPs?.length === 1 && clusterIPs[0] === 'None';
}

function validateShape(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec.ports?.length && !isHeadless(spec) && spec.type !== 'ExternalName') {
    errors.push(fieldRequired('spec.ports'));
  }
  if ((spec.type === 'LoadBalancer' || spec.type === 'NodePort') && isHeadless(spec)) {
    const rule = `may not be set to 'None' for ${spec.type} services`;
    errors.push(fieldInvalid('spec.clusterIPs[0]', 'None', rule));
  }
  if (spec.type !== 'ExternalName') return errors;
  const why = 'may not be set for ExternalName services';
  if (spec.clusterIPs?.length) errors.push(fieldForbidden('spec.clusterIPs', why));
  if (spec.ipFamilies?.length) errors.push(fieldForbidden('spec.ipFamilies', why));
  if (spec.ipFamilyPolicy !== undefined) errors.push(fieldForbidden('spec.ipFamilyPolicy', why));
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  errors.push(
    ...(name === ''
      ? [fieldRequired('spec.externalName')]
      : fieldInvalidEach('spec.externalName', name, checkDns1123Subdomain(name))),
  );
  return errors;
}

function validatePorts(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const ports = spec.ports ?? [];
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    const { name = '', appProtocol } = port;
    if (name === '') {
      if (ports.length > 1) errors.push(fieldRequired(`${path}.name`));
    } else {
      errors.push(...fieldInvalidEach(`${path}.name`, name, checkDns1123Label(name)));
      if (names.has(name)) errors.push(fieldDuplicate(`${path}.name`, name));
      names.add(name);
    }
    const number = port.port ?? 0;
    errors.push(
      ...fieldInvalidEach(`${path}.port`, number, checkPortNumber(number)),
      ...validateEnum(`${path}.protocol`, port.protocol, PROTOCOLS),
      ...validatePort(port.targetPort, `${path}.targetPort`),
    );
    if (appProtocol !== undefined) {
      const wrong = checkQualifiedName(appProtocol);
      errors.push(...fieldInvalidEach(`${path}.appProtocol`, appProtocol, wrong));
    }
  }
  return errors;
}

function validateAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): FieldError[] {
  const errors = validateEnum('spec.sessionAffinity', sessionAffinity, ['ClientIP', 'None']);
  const path = 'spec.sessionAffinityConfig';
  if (sessionAffinity === 'None' && sessionAffinityConfig) {
    errors.push(fieldForbidden(path, 'must not be set when session affinity is None'));
  }
  if (sessionAffinity !== 'ClientIP') return errors;
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (seconds === undefined) {
    const rule = 'when session affinity type is ClientIP';
    errors.push(fieldRequired(`${path}.clientIP.timeoutSeconds`, rule));
  } else if (seconds <= 0 || seconds > MAX_AFFINITY_SECONDS) {
    errors.push(
      fieldInvalid(
        `${path}.clientIP.timeoutSeconds`,
        seconds,
        `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`,
      ),
    );
  }
  return errors;
}

/** core validation, ValidateServiceClusterIPsRelatedFields. */
function validateClusterIps(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const { clusterIP, clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const path = 'spec.clusterIPs';
  const shown = { goSyntax: goStringSlice(clusterIPs) };
  const errors: FieldError[] = [];
  if (clusterIP) {
    if (clusterIPs.length === 0) errors.push(fieldRequired(path));
    else if (clusterIPs[0] !== clusterIP) {
      errors.push(fieldInvalid(path, shown, 'first value must match `clusterIP`'));
    }
  } else if (clusterIPs.length > 0) {
    errors.push(fieldInvalid(path, shown, 'must be empty when `clusterIP` is not specified'));
  }
  for (const [index, family] of ipFamilies.entries()) {
    const at = `spec.ipFamilies[${index}]`;
    if (!FAMILIES.includes(family)) errors.push(fieldNotSupported(at, family, FAMILIES));
    if (ipFamilies.indexOf(family) < index) errors.push(fieldDuplicate(at, family));
  }
  if (ipFamilyPolicy !== undefined && !FAMILY_POLICIES.includes(ipFamilyPolicy)) {
    errors.push(fieldNotSupported('spec.ipFamilyPolicy', ipFamilyPolicy, FAMILY_POLICIES));
  }
  errors.push(...validateAddresses(clusterIPs, ipFamilies, isHeadless(spec)));
  return errors.length > 0 ? errors : validateSingleStack(spec);
}

/** Services have IPv4 addresses here; a headless one without a selector has none, and may name both families. */
function validateSingleStack(spec: ServiceSpec): FieldError[] {
  const { ipFamilies = [], ipFamilyPolicy } = spec;
  const path = 'spec.ipFamilyPolicy';
  if (ipFamilyPolicy === 'SingleStack' && ipFamilies.length > 1) {
    const rule =
      "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified";
    return [fieldInvalid(path, ipFamilyPolicy, rule)];
  }
  if (isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0) return [];
  if (ipFamilyPolicy === 'RequireDualStack') {
    const rule = 'this cluster is not configured for dual-stack services';
    return [fieldInvalid(path, ipFamilyPolicy, rule)];
  }
  const { clusterIPs = [] } = spec;
  const isIpv6 = clusterIPs.length > 0 && clusterIPs[0]?.includes(':') === true;
  if (!isIpv6 || checkIp(clusterIPs[0] ?? '').length > 0) return [];
  const shown = { goSyntax: goStringSlice(clusterIPs) };
  return [fieldInvalid('spec.clusterIPs[0]', shown, 'IPv6 is not configured on this cluster')];
}

function validateAddresses(
  addresses: readonly string[],
  families: readonly string[],
  isWithout: boolean,
): FieldError[] {
  const path = 'spec.clusterIPs';
  const shown = { goSyntax: goStringSlice(addresses) };
  if (isWithout) return [];
  if (addresses[0] === 'None') {
    return [fieldInvalid(path, shown, "'None' must be the first and only value")];
  }
  const errors = addresses.flatMap((ip, index) =>
    fieldInvalidEach(`${path}[${index}]`, ip, checkIp(ip)),
  );
  if (addresses.length > 2) {
    errors.push(fieldInvalid(path, shown, 'may only hold up to 2 values'));
  }
  if (errors.length > 0) return errors;
  const count = addresses.filter(isIpv4).length;
  if (addresses.length > 1 && count !== 1) {
    errors.push(fieldInvalid(path, shown, 'may specify no more than one IP for each IP family'));
  }
  for (const [index, ip] of addresses.entries()) {
    const family = families[index];
    if (family === undefined || family === (isIpv4(ip) ? 'IPv4' : 'IPv6')) continue;
    errors.push(
      fieldInvalid(
        `${path}[${index}]`,
        ip,
        `expected an ${family} value as indicated by \`ipFamilies[${index}]\``,
      ),
    );
  }
  return errors;
}

function validateNodePorts({ type, ports = [] }: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const taken = new Set<string>();
  for (const [index, { nodePort, protocol }] of ports.entries()) {
    if (!nodePort) continue;
    const path = `spec.ports[${index}].nodePort`;
    if (type === 'ClusterIP') {
      errors.push(fieldForbidden(path, "may not be used when `type` is 'ClusterIP'"));
    }
    if (taken.has(`${protocol}/${nodePort}`)) errors.push(fieldDuplicate(path, nodePort));
    taken.add(`${protocol}/${nodePort}`);
  }
  return errors;
}

function validatePortPairs(ports: readonly ServicePort[]): FieldError[] {
  const errors: FieldError[] = [];
  const taken = new Set<string>();
  for (const [index, { port, protocol = '' }] of ports.entries()) {
    if (taken.has(`${protocol}/${port}`)) {
      errors.push(
        fieldDuplicate(`spec.ports[${index}]`, {
          goSyntax:
            `core.ServicePort{Name:"", Protocol:${goQuote(protocol)}, AppProtocol:(*string)(nil), ` +
            `Port:${port}, TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}`,
        }),
      );
    }
    taken.add(`${protocol}/${port}`);
  }
  return errors;
}

function validateLoadBalancer(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const isOther = spec.type !== 'LoadBalancer';
  const why = "may only be used when `type` is 'LoadBalancer'";
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0 && isOther) {
    errors.push(fieldForbidden('spec.LoadBalancerSourceRanges', why));
  }
  for (const [index, range] of ranges.entries()) {
    const path = `spec.LoadBalancerSourceRanges[${index}]`;
    errors.push(...fieldInvalidEach(path, range.trim(), checkCidr(range.trim())));
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && isOther) {
    errors.push(fieldForbidden('spec.allocateLoadBalancerNodePorts', why));
  }
  const name = spec.loadBalancerClass;
  if (name !== undefined) {
    const path = 'spec.loadBalancerClass';
    errors.push(
      ...(isOther
        ? [fieldForbidden(path, why)]
        : fieldInvalidEach(path, name, checkQualifiedName(name))),
    );
  }
  return errors;
}

function validateTraffic(spec: ServiceSpec): FieldError[] {
  const { externalTrafficPolicy, internalTrafficPolicy, trafficDistribution, type } = spec;
  const errors: FieldError[] = [];
  const policies = ['Cluster', 'Local'];
  const path = 'spec.externalTrafficPolicy';
  if (isExternallyAccessible(type, spec)) {
    errors.push(...validateEnum(path, externalTrafficPolicy, policies));
  } else if (externalTrafficPolicy) {
    const rule = 'may only be set for externally-accessible services';
    errors.push(fieldInvalid(path, externalTrafficPolicy, rule));
  }
  if (spec.healthCheckNodePort && !(type === 'LoadBalancer' && externalTrafficPolicy === 'Local')) {
    errors.push(
      fieldInvalid(
        'spec.healthCheckNodePort',
        spec.healthCheckNodePort,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ),
    );
  }
  if (internalTrafficPolicy !== undefined && !policies.includes(internalTrafficPolicy)) {
    errors.push(fieldNotSupported('spec.internalTrafficPolicy', internalTrafficPolicy, policies));
  }
  if (trafficDistribution !== undefined && trafficDistribution !== 'PreferClose') {
    errors.push(
      fieldNotSupported('spec.trafficDistribution', trafficDistribution, ['PreferClose']),
    );
  }
  return errors;
}

function validateAddressChange(next: ServiceSpec, previous: ServiceSpec): FieldError[] {
  if (isHeadless(next) && isHeadless(previous)) return [];
  const now = next.clusterIPs ?? [];
  const before = previous.clusterIPs ?? [];
  const shown = { goSyntax: goStringSlice(next.clusterIPs) };
  const errors: FieldError[] = [];
  if (now.length === 0 && before.length > 0) {
    errors.push(fieldInvalid('spec.clusterIPs[0]', shown, 'primary clusterIP can not be unset'));
  }
  for (const [index, ip] of before.entries()) {
    if (now[index] === undefined || now[index] === ip) continue;
    if (index > 0 && now.length !== before.length) continue;
    errors.push(fieldInvalid(`spec.clusterIPs[${index}]`, shown, 'may not change once set'));
  }
  if (now.length === 1 && before.length > 1 && next.ipFamilyPolicy !== 'SingleStack') {
    errors.push(
      fieldInvalid(
        'spec.ipFamilyPolicy',
        next.ipFamilyPolicy,
        "must be set to 'SingleStack' when releasing the secondary clusterIP",
      ),
    );
  }
  return errors;
}

function validateFamilyChange(next: ServiceSpec, previous: ServiceSpec): FieldError[] {
  if (isHeadless(next) || isHeadless(previous)) return [];
  const now = next.ipFamilies ?? [];
  const before = previous.ipFamilies ?? [];
  const isChanged =
    now.length === before.length
      ? before.some((family, index) => family !== now[index])
      : now.length > 0 && before.length > 0 && now[0] !== before[0];
  if (!isChanged) return [];
  const shown = { goSyntax: `[]core.IPFamily{${now.map(goQuote).join(', ')}}` };
  return [fieldInvalid('spec.ipFamilies[0]', shown, 'may not change once set')];
}
