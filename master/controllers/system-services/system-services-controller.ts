import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import { parseQueueKey, queueKey } from '../../../shared/reconcile/queue-key.ts';
import { validateReachableIp } from '../../../shared/resources/endpoint-address.ts';
import { ENDPOINT_SLICES } from '../../../shared/resources/endpoint-slice.ts';
import { ENDPOINTS } from '../../../shared/resources/endpoints.ts';
import type { ResourceKind } from '../../../shared/resources/resource-kind.ts';
import { SERVICES } from '../../../shared/resources/service.ts';
import type { Registry } from '../../store/registry.ts';
import { type Controller, type ControllerParts, trigger } from '../controller.ts';
import {
  dnsService,
  kubernetesEndpoints,
  kubernetesService,
  kubernetesSlice,
  type SystemAddresses,
} from './plan.ts';

const KUBERNETES = 'default/kubernetes';
const DNS = 'kube-system/kube-dns';

/**
 * Keeps the Services that every cluster has, whoever changes or removes them: default/kubernetes with the master's address behind it, and
 * kube-system/kube-dns. With an address that no other machine can reach (127.0.0.1) default/kubernetes has nothing behind it.
 */
export function systemServicesController(
  { registry, log }: ControllerParts,
  addresses: SystemAddresses,
): Controller {
  const { address } = addresses.api;
  const isReachable = validateReachableIp(address, '').length === 0 && !address.includes(':');
  if (!isReachable) {
    const remedy = 'start the master with an --advertise-address that pods reach';
    log.warn(
      `the service default/kubernetes has no endpoint: no pod reaches ${address}; ${remedy}`,
    );
  }
  const keys = (object: KubeObject) => {
    const key = queueKey(object);
    // The first is made at the start, and brings the other.
    if (key === KUBERNETES) return [KUBERNETES, DNS];
    return key === DNS ? [DNS] : [];
  };
  return {
    name: 'system-services',
    triggers: [
      trigger(SERVICES, ({ object }) => keys(object)),
      trigger(ENDPOINTS, ({ object }) => keys(object)),
      trigger(ENDPOINT_SLICES, ({ object }) => keys(object)),
    ],
    async reconcile(key) {
      if (key === DNS) {
        await keep(registry, SERVICES, dnsService(addresses), () => undefined);
        return undefined;
      }
      const service = kubernetesService(addresses);
      await keep(registry, SERVICES, service, (current) => ({
        ...current,
        spec: { ...current.spec, ports: service.spec.ports ?? [] },
      }));
      if (!isReachable) return undefined;
      const endpoints = kubernetesEndpoints(addresses);
      await keep(registry, ENDPOINTS, endpoints, (current) => ({
        ...current,
        metadata: withLabels(current, endpoints),
        subsets: endpoints.subsets ?? [],
      }));
      const slice = kubernetesSlice(addresses);
      await keep(registry, ENDPOINT_SLICES, slice, (current) => ({
        ...current,
        metadata: withLabels(current, slice),
        endpoints: slice.endpoints,
        ports: slice.ports ?? [],
      }));
      return undefined;
    },
  };
}

/** Makes the object, or changes the one that is there; the registry writes nothing that stays the same. */
async function keep<T extends KubeObject>(
  registry: Registry,
  kind: ResourceKind<T>,
  object: T,
  change: (current: T) => T | undefined,
): Promise<void> {
  const key = parseQueueKey(queueKey(object));
  const current = registry.find(kind, key);
  if (current === undefined) await registry.create(kind, object);
  else if (change(current) !== undefined) {
    await registry.update(kind, key, (stored) => change(stored) ?? stored);
  }
}

function withLabels<T extends KubeObject>({ metadata }: T, { metadata: wanted }: T) {
  return { ...metadata, labels: { ...metadata.labels, ...wanted.labels } };
}
