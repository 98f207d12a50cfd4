import { semanticEqual } from '../../../shared/meta/equality.ts';
import { controllerReference, isControlledBy } from '../../../shared/meta/owner-reference.ts';
import {
  HEADLESS_LABEL,
  MANAGED_BY_LABEL,
  SERVICE_NAME_LABEL,
} from '../../../shared/resources/endpoint-slice.ts';
import type {
  Endpoint,
  EndpointPort,
  EndpointSlice,
  ObjectMeta,
  Pod,
  Service,
} from '../../../shared/schema/kubernetes-types.ts';
import {
  addressesOf,
  hostnameFor,
  isEndpoint,
  isHeadless,
  isReady,
  podReference,
  portsFor,
} from '../pod-endpoint.ts';

export const SLICE_CONTROLLER = 'endpointslice-controller.k8s.io';

const MAX_ENDPOINTS = 100;

/** What a slice shall hold; an update replaces all of it. */
export interface SliceContent {
  addressType: string;
  endpoints: Endpoint[];
  ports: EndpointPort[];
}

export type SliceAction =
  | { kind: 'create'; content: SliceContent }
  | { kind: 'update'; slice: EndpointSlice; content: SliceContent }
  | { kind: 'delete'; slice: EndpointSlice };

/** A slice that is there and what becomes of it. */
interface Draft {
  slice: EndpointSlice;
  endpoints: Endpoint[];
  isChanged: boolean;
}

/**
 * What makes the slices of a Service hold exactly its pods, each where it is already, in as few changed slices as possible (KEP-752):
 * an endpoint that comes fills a slice that changes anyway, or the fullest that takes all that come, or a new one. `slices` are those
 * that this controller made for the Service. A Service without pods has one empty slice.
 */
export function planSlices(
  service: Service,
  pods: readonly Pod[],
  slices: readonly EndpointSlice[],
): SliceAction[] {
  const families = familiesOf(service);
  const actions: SliceAction[] = slices
    .filter(({ addressType }) => !families.includes(addressType as 'IPv4' | 'IPv6'))
    .map((slice) => ({ kind: 'delete', slice }));
  for (const family of families) {
    const present = slices.filter(({ addressType }) => addressType === family);
    actions.push(...planFamily(service, family, pods, present));
  }
  return actions;
}

/** The metadata that is this controller's in a slice; annotations and the like stay as they are. */
export function sliceMetadata(service: Service): Pick<ObjectMeta, 'labels' | 'ownerReferences'> {
  const {
    [HEADLESS_LABEL]: _headless,
    [SERVICE_NAME_LABEL]: _service,
    [MANAGED_BY_LABEL]: _manager,
    ...labels
  } = service.metadata.labels ?? {};
  return {
    labels: {
      ...labels,
      ...(isHeadless(service) && { [HEADLESS_LABEL]: '' }),
      [SERVICE_NAME_LABEL]: service.metadata.name,
      [MANAGED_BY_LABEL]: SLICE_CONTROLLER,
    },
    ownerReferences: [controllerReference(service)],
  };
}

function familiesOf({ spec }: Service): ('IPv4' | 'IPv6')[] {
  const families = spec.ipFamilies?.length ? spec.ipFamilies : ['IPv4'];
  // Pods have IPv4 addresses; a slice of the other family would always be empty.
  return families.includes('IPv4') ? ['IPv4'] : (families as 'IPv6'[]);
}

function planFamily(
  service: Service,
  family: 'IPv4' | 'IPv6',
  pods: readonly Pod[],
  slices: readonly EndpointSlice[],
): SliceAction[] {
  const wanted = wantedByPorts(service, family, pods);
  if (wanted.size === 0) wanted.set(portsKey([]), { ports: [], endpoints: new Map() });
  const drafts: Draft[] = [];
  const created: SliceContent[] = [];
  const deleted = slices.filter((slice) => !wanted.has(portsKey(slice.ports ?? [])));
  for (const [key, { ports, endpoints }] of wanted) {
    const own = slices.filter((slice) => portsKey(slice.ports ?? []) === key);
    const { kept, added } = distribute(service, own, endpoints);
    const isPlaceholder = endpoints.size === 0;
    const used = kept.filter((draft, index) => isUsed(draft, isPlaceholder && index === 0));
    drafts.push(...used);
    deleted.push(...kept.filter((draft) => !used.includes(draft)).map(({ slice }) => slice));
    for (let from = 0; from < added.length; from += MAX_ENDPOINTS) {
      const chunk = added.slice(from, from + MAX_ENDPOINTS);
      created.push({ addressType: family, endpoints: chunk, ports });
    }
    if (isPlaceholder && used.length === 0) {
      created.push({ addressType: family, endpoints: [], ports });
    }
  }
  return [
    ...drafts
      .filter(({ isChanged }) => isChanged)
      .map(
        ({ slice, endpoints }): SliceAction => ({
          kind: 'update',
          slice,
          content: { addressType: family, endpoints, ports: slice.ports ?? [] },
        }),
      ),
    ...recycled(created, deleted),
  ];
}

function isUsed({ endpoints }: Draft, isPlaceholder: boolean): boolean {
  return endpoints.length > 0 || isPlaceholder;
}

/** A slice that is to go becomes one that is to come: one write less, and no moment without either. */
function recycled(
  created: readonly SliceContent[],
  deleted: readonly EndpointSlice[],
): SliceAction[] {
  const count = Math.min(created.length, deleted.length);
  return [
    ...created.map((content, index): SliceAction => {
      const slice = deleted[index];
      return slice ? { kind: 'update', slice, content } : { kind: 'create', content };
    }),
    ...deleted.slice(count).map((slice): SliceAction => ({ kind: 'delete', slice })),
  ];
}

/** Leaves each endpoint where it is and finds a place for the others; `added`: those that need new slices. */
function distribute(
  service: Service,
  slices: readonly EndpointSlice[],
  wanted: ReadonlyMap<string, Endpoint>,
): { kept: Draft[]; added: Endpoint[] } {
  const left = new Map(wanted);
  const kept = slices.map((slice): Draft => {
    const endpoints = (slice.endpoints ?? []).flatMap((endpoint) => {
      const key = endpointKey(endpoint);
      const next = left.get(key);
      left.delete(key);
      return next ?? [];
    });
    const isSame =
      semanticEqual(endpoints, slice.endpoints) &&
      semanticEqual(slice.metadata.labels, sliceMetadata(service).labels) &&
      isControlledBy(slice.metadata, service);
    return { slice, endpoints, isChanged: !isSame };
  });
  let added = [...left.values()];
  const byFullness = [...kept].sort((a, b) => b.endpoints.length - a.endpoints.length);
  for (const draft of byFullness) {
    if (!draft.isChanged) continue;
    const room = Math.max(0, MAX_ENDPOINTS - draft.endpoints.length);
    draft.endpoints = [...draft.endpoints, ...added.slice(0, room)];
    added = added.slice(room);
  }
  const fit = byFullness.find(
    (draft) => !draft.isChanged && draft.endpoints.length + added.length <= MAX_ENDPOINTS,
  );
  if (fit && added.length > 0) {
    fit.endpoints = [...fit.endpoints, ...added];
    fit.isChanged = true;
    added = [];
  }
  return { kept, added };
}

function wantedByPorts(
  service: Service,
  family: 'IPv4' | 'IPv6',
  pods: readonly Pod[],
): Map<string, { ports: EndpointPort[]; endpoints: Map<string, Endpoint> }> {
  const groups = new Map<string, { ports: EndpointPort[]; endpoints: Map<string, Endpoint> }>();
  for (const pod of pods) {
    const addresses = addressesOf(pod, family);
    if (!isEndpoint(pod, true) || addresses.length === 0) continue;
    const ports = portsFor(service, pod);
    const key = portsKey(ports);
    const group = groups.get(key) ?? { ports, endpoints: new Map<string, Endpoint>() };
    groups.set(key, group);
    const endpoint = endpointOf(service, pod, addresses);
    group.endpoints.set(endpointKey(endpoint), endpoint);
  }
  return groups;
}

function endpointOf(service: Service, pod: Pod, addresses: string[]): Endpoint {
  const serving = isReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const hostname = hostnameFor(service, pod);
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hostname !== undefined && { hostname }),
    ...(pod.spec.nodeName && { nodeName: pod.spec.nodeName }),
    targetRef: podReference(pod),
  };
}

function endpointKey({ addresses, targetRef }: Endpoint): string {
  return `${targetRef?.uid ?? ''} ${addresses.join(',')}`;
}

/** Equal for the same ports in any order. */
function portsKey(ports: readonly EndpointPort[]): string {
  const texts = ports.map(({ name = '', port, protocol = 'TCP', appProtocol = '' }) =>
    [name, port ?? '', protocol, appProtocol].join(' '),
  );
  return texts.sort().join('|');
}
