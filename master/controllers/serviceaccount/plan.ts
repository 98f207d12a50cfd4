import { DEFAULT_ACCOUNT } from '../../../shared/resources/service-account.ts';
import type { ServiceAccount } from '../../../shared/schema/kubernetes-types.ts';

/** The default account of a namespace where there is none; one that is there stays as its users have it. */
export function planDefaultAccount(
  namespace: string,
  current: ServiceAccount | undefined,
): ServiceAccount | undefined {
  if (current !== undefined) return undefined;
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      name: DEFAULT_ACCOUNT,
      namespace,
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
    },
  };
}
