import { carriedMetadata, newMetadata } from '../meta/carried-metadata.ts';
import { semanticEqual } from '../meta/equality.ts';
import {
  type FieldError,
  fieldInvalidEach,
  fieldRequired,
  validateEnum,
} from '../meta/field-error.ts';
import {
  checkDns1123Label,
  checkDns1123Subdomain,
  checkPortNumber,
  checkQualifiedName,
  nameIsDnsSubdomain,
} from '../meta/names.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../meta/object-meta.ts';
import type {
  EndpointAddress,
  EndpointSubset,
  EndpointSubsetPort,
  Endpoints,
} from '../schema/kubernetes-types.ts';
import { bracketed } from '../url-host.ts';
import { ageColumn, column, nameColumn } from './columns.ts';
import { validateReachableIp } from './endpoint-address.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

/** The addresses behind a Service in one object, as clients from before EndpointSlices want them. */
export const ENDPOINTS: ResourceKind<Endpoints> = {
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  categories: [],
  namespaced: true,
  verbs: ALL_VERBS,
  subresources: [],
  isVolatile: () => false,
  strategy: {
    prepareForCreate: (endpoints) => ({
      ...endpoints,
      metadata: newMetadata(endpoints.metadata),
    }),
    default: (endpoints) =>
      endpoints.subsets
        ? { ...endpoints, subsets: endpoints.subsets.map(defaultSubset) }
        : endpoints,
    validate: (endpoints) => [...validateMetadata(endpoints), ...validateSubsets(endpoints)],
    prepareForUpdate: (next, previous) => ({
      ...next,
      metadata: carriedMetadata(next.metadata, previous.metadata),
    }),
    validateUpdate: (next, previous) => [
      ...validateObjectMetaUpdate(next.metadata, previous.metadata),
      ...validateMetadata(next),
      ...(semanticEqual(next.subsets, previous.subsets) ? [] : validateSubsets(next)),
    ],
  },
  columns: [
    nameColumn(),
    column('Endpoints', 'string', 'The first addresses and ports that are ready.', endpointsCell),
    ageColumn(),
  ],
  selectableFields: {},
};

function defaultSubset(subset: EndpointSubset): EndpointSubset {
  if (!subset.ports) return subset;
  const ports = subset.ports.map((port) => ({ ...port, protocol: port.protocol || 'TCP' }));
  return { ...subset, ports };
}

function validateMetadata({ metadata }: Endpoints): FieldError[] {
  return validateObjectMeta(metadata, true, nameIsDnsSubdomain);
}

/** core validation, validateEndpointSubsets. */
function validateSubsets({ subsets = [] }: Endpoints): FieldError[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }, index) => {
    const path = `subsets[${index}]`;
    const isEmpty = addresses.length === 0 && notReadyAddresses.length === 0;
    return [
      ...(isEmpty ? [fieldRequired(path, 'must specify `addresses` or `notReadyAddresses`')] : []),
      ...addresses.flatMap((address, at) => validateAddress(address, `${path}.addresses[${at}]`)),
      ...notReadyAddresses.flatMap((address, at) =>
        validateAddress(address, `${path}.notReadyAddresses[${at}]`),
      ),
      ...ports.flatMap((port, at) => validatePort(port, ports.length > 1, `${path}.ports[${at}]`)),
    ];
  });
}

function validateAddress({ ip, hostname, nodeName }: EndpointAddress, path: string): FieldError[] {
  return [
    ...(hostname
      ? fieldInvalidEach(`${path}.hostname`, hostname, checkDns1123Label(hostname))
      : []),
    ...(nodeName === undefined
      ? []
      : fieldInvalidEach(`${path}.nodeName`, nodeName, checkDns1123Subdomain(nodeName))),
    ...validateReachableIp(ip ?? '', `${path}.ip`),
  ];
}

function validatePort(port: EndpointSubsetPort, needsName: boolean, path: string): FieldError[] {
  const { name, appProtocol, protocol } = port;
  const number = port.port ?? 0;
  return [
    ...(needsName && !name ? [fieldRequired(`${path}.name`)] : []),
    ...(name ? fieldInvalidEach(`${path}.name`, name, checkDns1123Label(name)) : []),
    ...fieldInvalidEach(`${path}.port`, number, checkPortNumber(number)),
    ...validateEnum(`${path}.protocol`, protocol, PROTOCOLS),
    ...(appProtocol === undefined
      ? []
      : fieldInvalidEach(`${path}.appProtocol`, appProtocol, checkQualifiedName(appProtocol))),
  ];
}

const SHOWN = 3;

function endpointsCell({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return '<none>';
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => hostPort(ip, port))),
  );
  const shown = all.slice(0, SHOWN).join(',');
  return all.length > SHOWN ? `${shown} + ${all.length - SHOWN} more...` : shown;
}

function hostPort(ip: string, port: number): string {
  return `${bracketed(ip)}:${port}`;
}
