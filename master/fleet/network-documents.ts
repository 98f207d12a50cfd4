import type { JsonObject } from '../../shared/meta/kube-object.ts';
import type {
  EndpointSlice,
  Node,
  ObjectMeta,
  Service,
} from '../../shared/schema/kubernetes-types.ts';
import {
  CLUSTER_NETWORK_KEY,
  type ClusterNetworkDocument,
  type EndpointSliceDocument,
  endpointSliceDocumentKey,
  NETWORK_ANNOTATION_PREFIX,
  type PeerDocument,
  peerDocumentKey,
  type ServiceDocument,
  type SharedMetadata,
  serviceDocumentKey,
} from '../../shared/wire/network-documents.ts';
import { contentHash } from './node-crypto.ts';
import type { PlannedDocument } from './plan-documents.ts';

/** Without what no node needs; of the status only the addresses of the load balancer. */
export function serviceDocument({ metadata, spec, status }: Service): PlannedDocument {
  const { annotations } = metadata;
  const ingress = status?.loadBalancer?.ingress;
  const document: ServiceDocument = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...sharedMetadata(metadata), ...(annotations && { annotations }) },
    spec,
    ...(ingress && { status: { loadBalancer: { ingress } } }),
  };
  return planned(serviceDocumentKey(metadata.namespace ?? '', metadata.name), document);
}

export function endpointSliceDocument(slice: EndpointSlice): PlannedDocument {
  const { metadata, addressType, endpoints, ports } = slice;
  const document: EndpointSliceDocument = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: sharedMetadata(metadata),
    addressType,
    endpoints: endpoints ?? [],
    ports: ports ?? [],
  };
  return planned(endpointSliceDocumentKey(metadata.namespace ?? '', metadata.name), document);
}

export function peerDocument({ metadata, spec, status }: Node): PlannedDocument {
  const { name, creationTimestamp, annotations = {} } = metadata;
  const internal = status?.addresses?.find(({ type }) => type === 'InternalIP');
  const { podCIDR, podCIDRs } = spec ?? {};
  const own = Object.entries(annotations).filter(([key]) =>
    key.startsWith(NETWORK_ANNOTATION_PREFIX),
  );
  const document: PeerDocument = {
    name,
    creationTimestamp,
    podCIDRs: podCIDRs ?? (podCIDR ? [podCIDR] : []),
    ...(internal && { internalIP: internal.address }),
    annotations: Object.fromEntries(own.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  return planned(peerDocumentKey(name), document);
}

export function clusterNetworkDocument(network: ClusterNetworkDocument): PlannedDocument {
  return planned(CLUSTER_NETWORK_KEY, network);
}

function sharedMetadata(metadata: ObjectMeta): SharedMetadata {
  const { name, namespace = '', uid, creationTimestamp, labels } = metadata;
  return { name, namespace, uid, creationTimestamp, ...(labels && { labels }) };
}

function planned(key: string, object: object): PlannedDocument {
  return {
    key,
    version: contentHash(object),
    object: object as unknown as JsonObject,
    secret: false,
  };
}
