import type { EndpointPort, EndpointSlice, Service } from '../schema/kubernetes-types.ts';

/** `services/<namespace>/<name>`: what the proxy, DNS and the environment of containers want of a Service. */
export interface ServiceDocument {
  apiVersion: 'v1';
  kind: 'Service';
  metadata: SharedMetadata & { annotations?: Record<string, string> };
  spec: Service['spec'];
  /** Only loadBalancer. */
  status?: Pick<NonNullable<Service['status']>, 'loadBalancer'>;
}

/** `endpointslices/<namespace>/<name>`; the label kubernetes.io/service-name names its Service. */
export interface EndpointSliceDocument {
  apiVersion: 'discovery.k8s.io/v1';
  kind: 'EndpointSlice';
  metadata: SharedMetadata;
  addressType: string;
  endpoints: EndpointSlice['endpoints'];
  ports: EndpointPort[];
}

export interface SharedMetadata {
  name: string;
  namespace: string;
  uid: string;
  /** For who asks the device how old it is; absent in what an older master has sent. */
  creationTimestamp?: string;
  labels?: Record<string, string>;
}

/** `peers//<node name>`: what a node knows of another. Of the annotations only those under NETWORK_ANNOTATION_PREFIX. */
export interface PeerDocument {
  name: string;
  /** As that of SharedMetadata. */
  creationTimestamp?: string;
  /** Empty until the node has been given its range. */
  podCIDRs: string[];
  /** Absent until the node has said it. */
  internalIP?: string;
  annotations: Record<string, string>;
}

/** `cluster//network`: what is the same on every node. */
export interface ClusterNetworkDocument {
  clusterCidr: string;
  serviceCidr: string;
  /** The tenth address of serviceCidr. */
  dnsAddress: string;
  /** `cluster.local`. */
  clusterDomain: string;
}

export const SERVICE_PREFIX = 'services/';
export const ENDPOINT_SLICE_PREFIX = 'endpointslices/';
export const PEER_PREFIX = 'peers//';
export const CLUSTER_NETWORK_KEY = 'cluster//network';

/** A node may set annotations with this prefix about itself; its peers see them. */
export const NETWORK_ANNOTATION_PREFIX = 'network.skerry.dev/';

export function serviceDocumentKey(namespace: string, name: string): string {
  return `${SERVICE_PREFIX}${namespace}/${name}`;
}

export function endpointSliceDocumentKey(namespace: string, name: string): string {
  return `${ENDPOINT_SLICE_PREFIX}${namespace}/${name}`;
}

export function peerDocumentKey(node: string): string {
  return `${PEER_PREFIX}${node}`;
}
