import type { Pod } from '../../shared/schema/kubernetes-types.ts';

/** The hostname inside a pod: spec.hostname, else the pod's name; at most 63 characters, as the kernel and DNS labels allow. */
export function podHostname(pod: Pod): string {
  const name =
    pod.spec.hostname === undefined || pod.spec.hostname === ''
      ? pod.metadata.name
      : pod.spec.hostname;
  return name.slice(0, 63).replace(/[-.]+$/, '');
}
