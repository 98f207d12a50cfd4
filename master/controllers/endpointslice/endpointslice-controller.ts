import { parseQueueKey, queueKey } from '../../../shared/reconcile/queue-key.ts';
import {
  ENDPOINT_SLICES,
  MANAGED_BY_LABEL,
  SERVICE_NAME_LABEL,
} from '../../../shared/resources/endpoint-slice.ts';
import { PODS } from '../../../shared/resources/pod.ts';
import { SERVICES } from '../../../shared/resources/service.ts';
import type { EndpointSlice } from '../../../shared/schema/kubernetes-types.ts';
import type { Registry } from '../../store/registry.ts';
import { type Controller, type ControllerParts, trigger } from '../controller.ts';
import { GroupedObjects } from '../grouped-objects.ts';
import type { ServicePods } from '../service-pods.ts';
import { writeSlice } from '../write-slice.ts';
import { planSlices, SLICE_CONTROLLER, sliceMetadata } from './plan.ts';

/** Keeps the slices of Services with a selector (kube-controller-manager's endpointslice controller); those of a removed one are garbage. */
export function endpointSliceController(
  { registry }: ControllerParts,
  servicePods: ServicePods,
  slices: GroupedObjects<EndpointSlice>,
): Controller {
  return {
    name: 'endpointslice',
    triggers: [
      trigger(SERVICES, ({ object, removed }) => (removed ? [] : [queueKey(object)])),
      trigger(PODS, ({ object, previous }) => servicePods.servicesOf(object, previous)),
      trigger(ENDPOINT_SLICES, ({ object, previous }) => [
        ...new Set([...servicesOf(object), ...(previous ? servicesOf(previous) : [])]),
      ]),
    ],
    async reconcile(key) {
      const service = registry.find(SERVICES, parseQueueKey(key));
      if (!service?.spec.selector || service.spec.type === 'ExternalName') return undefined;
      if (service.metadata.deletionTimestamp !== undefined) return undefined;
      const own = slices.of(key).filter(isManaged);
      const actions = planSlices(service, servicePods.podsOf(service), own);
      const metadata = sliceMetadata(service);
      for (const action of actions) await writeSlice(registry, service, metadata, action);
      return undefined;
    },
  };
}

/** The slices of each Service, by its queue key. */
export function slicesByService(registry: Registry): GroupedObjects<EndpointSlice> {
  return new GroupedObjects(registry, ENDPOINT_SLICES, ({ metadata }) => {
    const service = metadata.labels?.[SERVICE_NAME_LABEL];
    return service === undefined ? [] : [`${metadata.namespace ?? ''}/${service}`];
  });
}

function servicesOf(slice: EndpointSlice): string[] {
  const { namespace = '', labels } = slice.metadata;
  const service = labels?.[SERVICE_NAME_LABEL];
  return isManaged(slice) && service !== undefined ? [`${namespace}/${service}`] : [];
}

function isManaged({ metadata }: EndpointSlice): boolean {
  return metadata.labels?.[MANAGED_BY_LABEL] === SLICE_CONTROLLER;
}
