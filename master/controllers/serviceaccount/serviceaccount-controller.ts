import { DEFAULT_ACCOUNT, SERVICE_ACCOUNTS } from '../../../shared/resources/service-account.ts';
import type { Controller, ControllerParts } from '../controller.ts';
import { keepInNamespaces } from '../keep-in-namespaces.ts';
import { planDefaultAccount } from './plan.ts';

/** Makes the default account of every active namespace, again when it is deleted (kube-controller-manager's serviceaccount controller). */
export function serviceAccountController(parts: ControllerParts): Controller {
  return keepInNamespaces(parts, 'serviceaccount', {
    kind: SERVICE_ACCOUNTS,
    name: DEFAULT_ACCOUNT,
    plan: planDefaultAccount,
  });
}
