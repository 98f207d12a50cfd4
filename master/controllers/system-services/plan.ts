import { SERVICE_NAME_LABEL } from '../../../shared/resources/endpoint-slice.ts';
import type {
  EndpointSlice,
  Endpoints,
  ObjectMeta,
  Service,
} from '../../../shared/schema/kubernetes-types.ts';
import { SKIP_MIRROR_LABEL } from '../endpointslicemirroring/plan.ts';

/** Where the API is served, and the addresses that are kept for the cluster itself. */
export interface SystemAddresses {
  /** The master as nodes reach it. */
  api: { address: string; port: number };
  /** The first of the service range. */
  kubernetes: string;
  /** The tenth. */
  dns: string;
}

/** The port at which pods find the API behind the service `kubernetes`. */
const API_SERVICE_PORT = 443;
const DNS_PORT = 53;

/** default/kubernetes: pods reach the API by it. */
export function kubernetesService({ api, kubernetes }: SystemAddresses): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata('default', 'kubernetes', {
      component: 'apiserver',
      provider: 'kubernetes',
    }),
    spec: {
      type: 'ClusterIP',
      clusterIP: kubernetes,
      ports: [{ name: 'https', port: API_SERVICE_PORT, protocol: 'TCP', targetPort: api.port }],
    },
    status: {},
  };
}

/** kube-system/kube-dns: its address is answered on each node by the node itself, so it has neither selector nor slice. */
export function dnsService({ dns }: SystemAddresses): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata('kube-system', 'kube-dns', {
      'k8s-app': 'kube-dns',
      'kubernetes.io/cluster-service': 'true',
      'kubernetes.io/name': 'CoreDNS',
    }),
    spec: {
      type: 'ClusterIP',
      clusterIP: dns,
      ports: [
        { name: 'dns', port: DNS_PORT, protocol: 'UDP', targetPort: DNS_PORT },
        { name: 'dns-tcp', port: DNS_PORT, protocol: 'TCP', targetPort: DNS_PORT },
      ],
    },
    status: {},
  };
}

/** The slice of default/kubernetes is written beside them and not mirrored. */
export function kubernetesEndpoints({ api }: SystemAddresses): Endpoints {
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: metadata('default', 'kubernetes', { [SKIP_MIRROR_LABEL]: 'true' }),
    subsets: [
      {
        addresses: [{ ip: api.address }],
        ports: [{ name: 'https', port: api.port, protocol: 'TCP' }],
      },
    ],
  };
}

export function kubernetesSlice({ api }: SystemAddresses): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadata('default', 'kubernetes', { [SERVICE_NAME_LABEL]: 'kubernetes' }),
    addressType: 'IPv4',
    endpoints: [{ addresses: [api.address], conditions: { ready: true } }],
    ports: [{ name: 'https', port: api.port, protocol: 'TCP' }],
  };
}

function metadata(namespace: string, name: string, labels: Record<string, string>): ObjectMeta {
  return { name, namespace, labels, uid: '', resourceVersion: '', creationTimestamp: '' };
}
