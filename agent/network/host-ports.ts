import { isIpv4 } from '../../shared/meta/cidr.ts';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import type { HostPort } from './service-proxy/proxy-plan.ts';

/** What a pod publishes on its node's addresses; a pod on the host's own network needs no rule for it. */
export function hostPortsOf(pod: Pod, podIp: string): HostPort[] {
  if (pod.spec.hostNetwork === true || !isIpv4(podIp)) return [];
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ hostPort, hostIP, containerPort, protocol }) => {
      const known = protocol === undefined || protocol === 'TCP' || protocol === 'UDP';
      if (hostPort === undefined || hostPort === 0 || !known) return [];
      const everywhere = hostIP === undefined || hostIP === '' || hostIP === '0.0.0.0';
      if (!everywhere && !isIpv4(hostIP)) return [];
      return [
        {
          protocol: protocol ?? 'TCP',
          hostIp: everywhere ? undefined : hostIP,
          hostPort,
          podIp,
          containerPort,
        },
      ];
    }),
  );
}
