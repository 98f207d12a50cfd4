import { semanticEqual } from '../../../shared/meta/equality.ts';
import { isIpv4 } from '../../../shared/meta/names.ts';
import { controllerReference } from '../../../shared/meta/owner-reference.ts';
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from '../../../shared/resources/endpoint-slice.ts';
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
/** What others note in Endpoints about themselves. */
const NOT_MIRRORED: ReadonlySet<string> = new Set([
  'endpoints.kubernetes.io/last-change-trigger-time',
  'kubectl.kubernetes.io/last-applied-configuration',
]);
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
      semanticEqual(slice.metadata.annotations, metadata.annotations) &&
      semanticEqual(slice.metadata.ownerReferences, metadata.ownerReferences);
    if (!isSame) actions.push({ kind: 'update', slice, content });
  }
  return [
    ...actions,
    ...missing.map((content): SliceAction => ({ kind: 'create', content })),
    ...[...left].map((slice): SliceAction => ({ kind: 'delete', slice })),
  ];
}

/** All labels and annotations of the Endpoints, but for what is about that object alone. */
export function mirrorMetadata(
  endpoints: Endpoints,
): Pick<ObjectMeta, 'labels' | 'annotations' | 'ownerReferences'> {
  const { metadata } = endpoints;
  const annotations = Object.entries(metadata.annotations ?? {});
  return {
    labels: {
      ...metadata.labels,
      [SERVICE_NAME_LABEL]: metadata.name,
      [MANAGED_BY_LABEL]: MIRRORING_CONTROLLER,
    },
    annotations: Object.fromEntries(annotations.filter(([key]) => !NOT_MIRRORED.has(key))),
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
