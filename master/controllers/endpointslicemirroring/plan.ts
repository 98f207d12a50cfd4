import { semanticEqual } from '../../../shared/meta/equality.ts';
import { isIpv4 } from '../../../shared/meta/names.ts';
import { controllerReference } from '../../../shared/meta/owner-reference.ts';
import {
  HEADLESS_LABEL,
  MANAGED_BY_LABEL,
  SERVICE_NAME_LABEL,
} from '../../../shared/resources/endpoint-slice.ts';
import type {
  Endpoint,
  EndpointAddress,
  EndpointSlice,
  EndpointSubset,
  Endpoints,
  ObjectMeta,
  Service,
} from '../../../shared/schema/kubernetes-types.ts';
import type { SliceAction, SliceContent } from '../endpointslice/plan.ts';

export const MIRRORING_CONTROLLER = 'endpointslicemirroring-controller.k8s.io';
/** Endpoints with this label, `true`, have slices of somebody else's making. */
export const SKIP_MIRROR_LABEL = 'endpointslice.kubernetes.io/skip-mirror';

const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader';
const MAX_ADDRESSES_PER_SUBSET = 1000;

/** Whether the slices of a Service are made of its Endpoints: those of one without a selector, which somebody writes by hand. */
export function isMirrored(
  service: Service | undefined,
  endpoints: Endpoints | undefined,
): endpoints is Endpoints {
  if (!service || !endpoints || service.spec.selector) return false;
  const { labels, annotations } = endpoints.metadata;
  return labels?.[SKIP_MIRROR_LABEL] !== 'true' && annotations?.[LEADER_ANNOTATION] === undefined;
}

/** What makes `slices` (those that this controller made) mirror the Endpoints: one slice for each subset and family. */
export function planMirror(endpoints: Endpoints, slices: readonly EndpointSlice[]): SliceAction[] {
  const left = new Set(slices);
  const metadata = mirrorMetadata(endpoints);
  const actions: SliceAction[] = [];
  const missing: SliceContent[] = [];
  for (const content of (endpoints.subsets ?? []).flatMap(contentsOf)) {
    const slice = [...left].find(
      ({ addressType, ports }) =>
        addressType === content.addressType && semanticEqual(ports, content.ports),
    );
    if (!slice) {
      missing.push(content);
      continue;
    }
    left.delete(slice);
    const isSame =
      semanticEqual(slice.endpoints, content.endpoints) &&
      semanticEqual(slice.metadata.labels, metadata.labels) &&
      semanticEqual(slice.metadata.ownerReferences, metadata.ownerReferences);
    if (!isSame) actions.push({ kind: 'update', slice, content });
  }
  return [
    ...actions,
    ...missing.map((content): SliceAction => ({ kind: 'create', content })),
    ...[...left].map((slice): SliceAction => ({ kind: 'delete', slice })),
  ];
}

export function mirrorMetadata(
  endpoints: Endpoints,
): Pick<ObjectMeta, 'labels' | 'ownerReferences'> {
  const {
    [SKIP_MIRROR_LABEL]: _skip,
    [HEADLESS_LABEL]: _headless,
    ...labels
  } = endpoints.metadata.labels ?? {};
  return {
    labels: {
      ...labels,
      [SERVICE_NAME_LABEL]: endpoints.metadata.name,
      [MANAGED_BY_LABEL]: MIRRORING_CONTROLLER,
    },
    ownerReferences: [controllerReference(endpoints)],
  };
}

function contentsOf({ addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset) {
  const all = [
    ...addresses.map((address) => endpointOf(address, true)),
    ...notReadyAddresses.map((address) => endpointOf(address, false)),
  ].slice(0, MAX_ADDRESSES_PER_SUBSET);
  return (['IPv4', 'IPv6'] as const).flatMap((addressType): SliceContent[] => {
    const endpoints = all.filter(
      ({ addresses: [ip = ''] }) => isIpv4(ip) === (addressType === 'IPv4'),
    );
    if (endpoints.length === 0) return [];
    const named = ports.map((port) => ({
      ...port,
      name: port.name ?? '',
      protocol: port.protocol ?? 'TCP',
    }));
    return [{ addressType, endpoints, ports: named }];
  });
}

function endpointOf({ ip, ...rest }: EndpointAddress, ready: boolean): Endpoint {
  return { addresses: [ip], conditions: { ready }, ...rest };
}
