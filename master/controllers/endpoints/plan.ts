import { HEADLESS_LABEL } from '../../../shared/resources/endpoint-slice.ts';
import type {
  EndpointAddress,
  EndpointSubset,
  EndpointSubsetPort,
  Endpoints,
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
import { repackSubsets } from './repack-subsets.ts';
import { truncateSubsets } from './truncate-subsets.ts';

export const ENDPOINTS_MANAGED_BY_LABEL = 'endpoints.kubernetes.io/managed-by';
export const ENDPOINTS_CONTROLLER = 'endpoint-controller';
const OVER_CAPACITY_ANNOTATION = 'endpoints.kubernetes.io/over-capacity';

/** The Endpoints of a Service; `previous` are those that are stored, whose other metadata stays. */
export function planEndpoints(
  service: Service,
  pods: readonly Pod[],
  previous: Endpoints | undefined,
): Endpoints {
  const all = repackSubsets(pods.flatMap((pod) => subsetsOf(service, pod)));
  const subsets = truncateSubsets(all);
  const { [HEADLESS_LABEL]: _headless, ...labels } = service.metadata.labels ?? {};
  const { [OVER_CAPACITY_ANNOTATION]: _over, ...annotations } =
    previous?.metadata.annotations ?? {};
  if (subsets !== all) annotations[OVER_CAPACITY_ANNOTATION] = 'truncated';
  const { annotations: _annotations, ...metadata } = previous?.metadata ?? {
    name: service.metadata.name,
    namespace: service.metadata.namespace ?? '',
    uid: '',
    resourceVersion: '',
    creationTimestamp: '',
  };
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      ...metadata,
      labels: {
        ...labels,
        [ENDPOINTS_MANAGED_BY_LABEL]: ENDPOINTS_CONTROLLER,
        ...(isHeadless(service) && { [HEADLESS_LABEL]: '' }),
      },
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    ...(subsets.length > 0 && { subsets }),
  };
}

function subsetsOf(service: Service, pod: Pod): EndpointSubset[] {
  const tolerates = service.spec.publishNotReadyAddresses === true;
  const ip = addressesOf(pod, 'IPv4')[0];
  if (!isEndpoint(pod, tolerates) || ip === undefined) return [];
  const hostname = hostnameFor(service, pod);
  const address: EndpointAddress = {
    ip,
    ...(hostname !== undefined && { hostname }),
    ...(pod.spec.nodeName && { nodeName: pod.spec.nodeName }),
    targetRef: podReference(pod),
  };
  const subset = (ports: EndpointSubsetPort[]): EndpointSubset => ({
    ...(tolerates || isReady(pod) ? { addresses: [address] } : { notReadyAddresses: [address] }),
    ...(ports.length > 0 && { ports }),
  });
  const needsNoPorts = isHeadless(service) && !service.spec.ports?.length;
  if (needsNoPorts) return [subset([])];
  return portsFor(service, pod).map(({ name, ...port }) =>
    subset([{ ...(name && { name }), ...port }]),
  );
}
