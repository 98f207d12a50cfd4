import type { Pod } from '../../shared/schema/kubernetes-types.ts';

/** `name_namespace(uid)`, as messages name a pod. */
export function podLabel(pod: Pod): string {
  return `${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid})`;
}
