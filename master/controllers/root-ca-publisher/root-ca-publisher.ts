import { CONFIG_MAPS } from '../../../shared/resources/config-map.ts';
import type { Controller, ControllerParts } from '../controller.ts';
import { keepInNamespaces } from '../keep-in-namespaces.ts';
import { planRootCa, ROOT_CA_MAP } from './plan.ts';

/**
 * Publishes the cluster's certificate authority (PEM) in every active namespace (kube-controller-manager's root-ca-certificate-publisher
 * controller), and mends what somebody changed.
 */
export function rootCaPublisher(parts: ControllerParts, ca: string): Controller {
  return keepInNamespaces(parts, 'root-ca-publisher', {
    kind: CONFIG_MAPS,
    name: ROOT_CA_MAP,
    plan: (namespace, current) => planRootCa(ca, namespace, current),
  });
}
