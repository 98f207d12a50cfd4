import { ApiError } from '../shared/errors.ts';
import type { KubeObject } from '../shared/meta/kube-object.ts';
import { NAMESPACES } from '../shared/resources/namespace.ts';
import type { ResourceKind } from '../shared/resources/resource-kind.ts';
import { SERVICES } from '../shared/resources/service.ts';
import { kubernetesService, type SystemAddresses } from './controllers/system-services/plan.ts';
import type { Registry } from './store/registry.ts';

const NAMESPACE_NAMES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Makes what every cluster has: the four namespaces, and default/kubernetes, which a controller then keeps. */
export async function createSystemObjects(
  registry: Registry,
  addresses: SystemAddresses,
): Promise<void> {
  for (const name of NAMESPACE_NAMES) {
    await createOnce(registry, NAMESPACES, {
      ...head('v1', 'Namespace', name),
      spec: {},
      status: {},
    });
  }
  await createOnce(registry, SERVICES, kubernetesService(addresses));
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

function head(apiVersion: string, kind: string, name: string) {
  return {
    apiVersion,
    kind,
    metadata: { name, uid: '', resourceVersion: '', creationTimestamp: '' },
  };
}
