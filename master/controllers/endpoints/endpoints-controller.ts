import { semanticEqual } from '../../../shared/meta/equality.ts';
import { parseQueueKey, queueKey } from '../../../shared/reconcile/queue-key.ts';
import { ENDPOINTS } from '../../../shared/resources/endpoints.ts';
import { PODS } from '../../../shared/resources/pod.ts';
import { SERVICES } from '../../../shared/resources/service.ts';
import type { Endpoints } from '../../../shared/schema/kubernetes-types.ts';
import { type Controller, type ControllerParts, trigger } from '../controller.ts';
import { ignoreGone } from '../ignore-gone.ts';
import type { ServicePods } from '../service-pods.ts';
import { ENDPOINTS_CONTROLLER, ENDPOINTS_MANAGED_BY_LABEL, planEndpoints } from './plan.ts';

/** Keeps the Endpoints of Services with a selector (kube-controller-manager's endpoint controller); they go with their Service. */
export function endpointsController(
  { registry }: ControllerParts,
  servicePods: ServicePods,
): Controller {
  return {
    name: 'endpoints',
    triggers: [
      trigger(SERVICES, ({ object }) => [queueKey(object)]),
      trigger(PODS, ({ object, previous }) => servicePods.servicesOf(object, previous)),
      trigger(ENDPOINTS, ({ object, removed }) =>
        removed || isManaged(object) ? [queueKey(object)] : [],
      ),
    ],
    async reconcile(queued) {
      const key = parseQueueKey(queued);
      const service = registry.find(SERVICES, key);
      const previous = registry.find(ENDPOINTS, key);
      if (service === undefined) {
        if (previous) await registry.delete(ENDPOINTS, key).catch(ignoreGone);
        return undefined;
      }
      const { selector, type } = service.spec;
      if (!selector || type === 'ExternalName') return undefined;
      if (service.metadata.deletionTimestamp !== undefined) return undefined;
      const next = planEndpoints(service, servicePods.podsOf(service), previous);
      if (previous === undefined) await registry.create(ENDPOINTS, next);
      else if (!isSame(previous, next)) {
        await registry.update(ENDPOINTS, key, () => next).catch(ignoreGone);
      }
      return undefined;
    },
  };
}

function isManaged({ metadata }: Endpoints): boolean {
  return metadata.labels?.[ENDPOINTS_MANAGED_BY_LABEL] === ENDPOINTS_CONTROLLER;
}

function isSame(a: Endpoints, b: Endpoints): boolean {
  return (
    semanticEqual(a.subsets, b.subsets) &&
    semanticEqual(a.metadata.labels, b.metadata.labels) &&
    semanticEqual(a.metadata.annotations, b.metadata.annotations)
  );
}
