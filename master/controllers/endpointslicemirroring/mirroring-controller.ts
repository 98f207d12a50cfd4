import { parseQueueKey, queueKey } from '../../../shared/reconcile/queue-key.ts';
import {
  ENDPOINT_SLICES,
  MANAGED_BY_LABEL,
  SERVICE_NAME_LABEL,
} from '../../../shared/resources/endpoint-slice.ts';
import { ENDPOINTS } from '../../../shared/resources/endpoints.ts';
import { SERVICES } from '../../../shared/resources/service.ts';
import type { EndpointSlice } from '../../../shared/schema/kubernetes-types.ts';
import { type Controller, type ControllerParts, trigger } from '../controller.ts';
import type { GroupedObjects } from '../grouped-objects.ts';
import { ignoreGone } from '../ignore-gone.ts';
import { writeSlice } from '../write-slice.ts';
import { isMirrored, MIRRORING_CONTROLLER, mirrorMetadata, planMirror } from './plan.ts';

/** Makes slices of the Endpoints of Services without a selector (kube-controller-manager's endpointslicemirroring controller). */
export function endpointSliceMirroringController(
  { registry }: ControllerParts,
  slices: GroupedObjects<EndpointSlice>,
): Controller {
  return {
    name: 'endpointslicemirroring',
    triggers: [
      trigger(SERVICES, ({ object }) => [queueKey(object)]),
      trigger(ENDPOINTS, ({ object }) => [queueKey(object)]),
      trigger(ENDPOINT_SLICES, ({ object, previous }) => [
        ...new Set([...servicesOf(object), ...(previous ? servicesOf(previous) : [])]),
      ]),
    ],
    async reconcile(queued) {
      const key = parseQueueKey(queued);
      const own = slices.of(queued).filter(isManaged);
      const endpoints = registry.find(ENDPOINTS, key);
      if (isMirrored(registry.find(SERVICES, key), endpoints)) {
        const metadata = mirrorMetadata(endpoints);
        for (const action of planMirror(endpoints, own)) {
          await writeSlice(registry, endpoints, metadata, action);
        }
        return undefined;
      }
      for (const { metadata } of own) {
        const { namespace = '', name, uid } = metadata;
        await registry
          .delete(ENDPOINT_SLICES, { namespace, name }, { preconditions: { uid } })
          .catch(ignoreGone);
      }
      return undefined;
    },
  };
}

function servicesOf(slice: EndpointSlice): string[] {
  const { namespace = '', labels } = slice.metadata;
  const service = labels?.[SERVICE_NAME_LABEL];
  return isManaged(slice) && service !== undefined ? [`${namespace}/${service}`] : [];
}

function isManaged({ metadata }: EndpointSlice): boolean {
  return metadata.labels?.[MANAGED_BY_LABEL] === MIRRORING_CONTROLLER;
}
