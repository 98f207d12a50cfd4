import { ApiError } from '../shared/errors.ts';
import { type Cidr, formatIpv4 } from '../shared/meta/cidr.ts';
import type { KubeObject } from '../shared/meta/kube-object.ts';
import { NAMESPACES } from '../shared/resources/namespace.ts';
import type { ResourceKind } from '../shared/resources/resource-kind.ts';
import { SERVICES } from '../shared/resources/service.ts';
import type { Registry } from './store/registry.ts';

const NAMESPACE_NAMES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** The port at which pods find the API behind the service `kubernetes`. */
const API_SERVICE_PORT = 443;

/** Makes what every cluster has: the four namespaces, and the service default/kubernetes at the first service address. */
export async function createSystemObjects(
  registry: Registry,
  serviceCidr: Cidr,
  apiPort: number,
): Promise<void> {
  for (const name of NAMESPACE_NAMES) {
    await createOnce(registry, NAMESPACES, {
      ...head('v1', 'Namespace', name),
      spec: {},
      status: {},
    });
  }
  await createOnce(registry, SERVICES, {
    ...head('v1', 'Service', 'kubernetes', 'default', {
      component: 'apiserver',
      provider: 'kubernetes',
    }),
    spec: {
      type: 'ClusterIP',
      clusterIP: formatIpv4(serviceCidr.base + 1),
      ports: [{ name: 'https', port: API_SERVICE_PORT, protocol: 'TCP', targetPort: apiPort }],
    },
    status: {},
  });
}

async function createOnce<T extends KubeObject>(
  registry: Registry,
  kind: ResourceKind<T>,
  object: T,
): Promise<void> {
  const { namespace = '', name } = object.metadata;
  if (registry.find(kind, { namespace, name }) !== undefined) return;
  try {
    await registry.create(kind, object);
  } catch (error) {
    // With several masters another one may have been first.
    if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error;
  }
}

function head(
  apiVersion: string,
  kind: string,
  name: string,
  namespace?: string,
  labels?: Record<string, string>,
) {
  const metadata = { name, uid: '', resourceVersion: '', creationTimestamp: '' };
  return {
    apiVersion,
    kind,
    metadata: {
      ...metadata,
      ...(namespace !== undefined && { namespace }),
      ...(labels !== undefined && { labels }),
    },
  };
}
