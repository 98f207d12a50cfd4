import { carriedMetadata, newMetadata } from '../meta/carried-metadata.ts';
import { semanticEqual } from '../meta/equality.ts';
import {
  type FieldError,
  fieldDuplicate,
  fieldInvalid,
  fieldInvalidEach,
  fieldNotSupported,
  fieldRequired,
  fieldTooMany,
  validateEnum,
} from '../meta/field-error.ts';
import {
  checkDns1123Label,
  checkDns1123Subdomain,
  checkIp,
  checkQualifiedName,
  isIpv4,
  nameIsDnsSubdomain,
} from '../meta/names.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../meta/object-meta.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '../schema/kubernetes-types.ts';
import { ageColumn, column, nameColumn } from './columns.ts';
import { validateReachableIp } from './endpoint-address.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';

/** Names the Service that a slice belongs to. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
/** Names the controller that writes a slice. */
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
/** On the slices and Endpoints of a Service without an address of its own. */
export const HEADLESS_LABEL = 'service.kubernetes.io/headless';

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const MAX_ENDPOINTS = 1000;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20_000;
const MAX_ZONE_HINTS = 8;

/** Part of the addresses behind a Service. */
export const ENDPOINT_SLICES: ResourceKind<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  singular: 'endpointslice',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: ALL_VERBS,
  subresources: [],
  isVolatile: () => false,
  strategy: {
    prepareForCreate: (slice) => ({
      ...slice,
      metadata: newMetadata(slice.metadata, 1),
      endpoints: (slice.endpoints ?? []).map(withoutTopology),
    }),
    default: defaultSlice,
    validate,
    prepareForUpdate: (next, previous) => {
      const endpoints = (next.endpoints ?? []).map(withoutTopology);
      const isChanged =
        next.addressType !== previous.addressType ||
        !semanticEqual(endpoints, previous.endpoints) ||
        !semanticEqual((next.ports ?? []).map(defaultPort), previous.ports);
      const metadata = carriedMetadata(next.metadata, previous.metadata, isChanged);
      return { ...next, metadata, endpoints };
    },
    validateUpdate: (next, previous) => [
      ...validateObjectMetaUpdate(next.metadata, previous.metadata),
      ...validate(next),
      ...(next.addressType === previous.addressType
        ? []
        : [fieldInvalid('addressType', next.addressType, 'field is immutable')]),
    ],
  },
  columns: [
    nameColumn(),
    column('AddressType', 'string', 'IPv4, IPv6 or FQDN.', ({ addressType }) => addressType),
    column('Ports', 'string', 'The first ports of all endpoints.', ({ ports }) =>
      firstOf((ports ?? []).map(({ port, name }) => (port === undefined ? (name ?? '*') : port))),
    ),
    column('Endpoints', 'string', 'The first addresses.', ({ endpoints }) =>
      firstOf((endpoints ?? []).flatMap(({ addresses }) => addresses)),
    ),
    ageColumn(),
  ],
  selectableFields: {},
};

function defaultSlice(slice: EndpointSlice): EndpointSlice {
  return {
    ...slice,
    endpoints: slice.endpoints ?? [],
    ...(slice.ports && { ports: slice.ports.map(defaultPort) }),
  };
}

function defaultPort(port: EndpointPort): EndpointPort {
  return { ...port, name: port.name ?? '', protocol: port.protocol ?? 'TCP' };
}

/** The field of an older version that v1 no longer takes. */
function withoutTopology(endpoint: Endpoint): Endpoint {
  const { deprecatedTopology: _topology, ...rest } = endpoint;
  return rest;
}

/** discovery validation, ValidateEndpointSlice. */
function validate({ metadata, addressType, endpoints, ports = [] }: EndpointSlice): FieldError[] {
  return [
    ...validateObjectMeta(metadata, true, nameIsDnsSubdomain),
    ...validateEnum('addressType', addressType, ADDRESS_TYPES),
    ...validatePorts(ports),
    ...validateEndpoints(endpoints, addressType),
  ];
}

function validatePorts(ports: readonly EndpointPort[]): FieldError[] {
  if (ports.length > MAX_PORTS) return [fieldTooMany('ports', ports.length, MAX_PORTS)];
  const names = new Set<string>();
  return ports.flatMap(({ name = '', protocol, appProtocol }, index) => {
    const path = `ports[${index}]`;
    const errors =
      name === '' ? [] : fieldInvalidEach(`${path}.name`, name, checkDns1123Label(name));
    if (names.has(name)) errors.push(fieldDuplicate(`${path}.name`, name));
    names.add(name);
    errors.push(...validateProtocol(protocol, `${path}.protocol`));
    if (appProtocol !== undefined) {
      const wrong = checkQualifiedName(appProtocol);
      errors.push(...fieldInvalidEach(`${path}.appProtocol`, appProtocol, wrong));
    }
    return errors;
  });
}

function validateProtocol(protocol: string | undefined, path: string): FieldError[] {
  if (protocol === undefined) return [fieldRequired(path)];
  return PROTOCOLS.includes(protocol) ? [] : [fieldNotSupported(path, protocol, PROTOCOLS)];
}

function validateEndpoints(endpoints: readonly Endpoint[], addressType: string): FieldError[] {
  if (endpoints.length > MAX_ENDPOINTS) {
    return [fieldTooMany('endpoints', endpoints.length, MAX_ENDPOINTS)];
  }
  return endpoints.flatMap((endpoint, index) => {
    const path = `endpoints[${index}]`;
    const { addresses = [], nodeName, hostname } = endpoint;
    return [
      ...(addresses.length === 0
        ? [fieldRequired(`${path}.addresses`, 'must contain at least 1 address')]
        : []),
      ...(addresses.length > MAX_ADDRESSES
        ? [fieldTooMany(`${path}.addresses`, addresses.length, MAX_ADDRESSES)]
        : []),
      ...addresses.flatMap((address, at) =>
        validateAddress(address, addressType, `${path}.addresses`, at),
      ),
      ...(nodeName === undefined
        ? []
        : fieldInvalidEach(`${path}.nodeName`, nodeName, checkDns1123Subdomain(nodeName))),
      ...(hostname === undefined
        ? []
        : fieldInvalidEach(`${path}.hostname`, hostname, checkDns1123Label(hostname))),
      ...validateHints(endpoint, `${path}.hints`),
    ];
  });
}

function validateAddress(
  address: string,
  addressType: string,
  addresses: string,
  index: number,
): FieldError[] {
  const path = `${addresses}[${index}]`;
  switch (addressType) {
    case 'IPv4':
    case 'IPv6': {
      const wrong = checkIp(address);
      if (wrong.length > 0) return fieldInvalidEach(path, address, wrong);
      const isOfType = isIpv4(address) === (addressType === 'IPv4');
      // The list is named, not the address, as in Kubernetes.
      const wrongType = fieldInvalid(addresses, address, `must be an ${addressType} address`);
      return [...(isOfType ? [] : [wrongType]), ...validateReachableIp(address, path)];
    }
    case 'FQDN':
      return validateFullName(address, path);
    default:
      return [];
  }
}

function validateFullName(name: string, path: string): FieldError[] {
  if (name === '') return [fieldRequired(path)];
  const wrong = checkDns1123Subdomain(name.replace(/\.$/, ''));
  if (wrong.length > 0) return [fieldInvalid(path, name, wrong.join(','))];
  if (name.replace(/\.$/, '').includes('.')) return [];
  const rule = 'should be a domain with at least two segments separated by dots';
  return [fieldInvalid(path, name, rule)];
}

function validateHints({ hints }: Endpoint, path: string): FieldError[] {
  const zones = hints?.forZones ?? [];
  if (zones.length > MAX_ZONE_HINTS) {
    return [fieldTooMany(`${path}.forZones`, zones.length, MAX_ZONE_HINTS)];
  }
  const seen = new Set<string>();
  return zones.flatMap(({ name }, index) => {
    const at = `${path}.forZones[${index}].name`;
    const errors = fieldInvalidEach(at, name, checkQualifiedName(name));
    if (seen.has(name)) errors.push(fieldDuplicate(at, name));
    seen.add(name);
    return errors;
  });
}

const SHOWN = 3;

function firstOf(items: readonly (string | number)[]): string {
  const shown = items.slice(0, SHOWN).join(',');
  if (items.length > SHOWN) return `${shown} + ${items.length - SHOWN} more...`;
  return shown === '' ? '<unset>' : shown;
}
