import { isIpv4 } from '../../shared/meta/cidr.ts';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import type { HostPort } from './service-proxy/proxy-plan.ts';

/**
 * What pods publish on their node's addresses, each port once: of several pods that want one (their node was named, or the one before
 * is still on its way out) the oldest has it. A pod on the host's own network needs no rule.
 */
export function hostPortsOf(pods: readonly { pod: Pod; address: string }[]): HostPort[] {
  const published = new Map<string, HostPort>();
  for (const { pod, address } of [...pods].sort(byAge)) {
    for (const port of portsOf(pod, address)) {
      const place = `${port.protocol} ${port.hostIp ?? '*'} ${port.hostPort}`;
      if (!published.has(place)) published.set(place, port);
    }
  }
  return [...published.values()];
}

function byAge({ pod: { metadata: a } }: { pod: Pod }, { pod: { metadata: b } }: { pod: Pod }) {
  const [left, right] = [a, b].map(({ creationTimestamp, uid }) => `${creationTimestamp} ${uid}`);
  return (left ?? '') < (right ?? '') ? -1 : 1;
}

function portsOf(pod: Pod, podIp: string): HostPort[] {
  if (pod.spec.hostNetwork === true || !isIpv4(podIp)) return [];
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ hostPort, hostIP, containerPort, protocol = 'TCP' }) => {
      const isCarried = protocol === 'TCP' || protocol === 'UDP';
      if (hostPort === undefined || hostPort === 0 || !isCarried) return [];
      const isEverywhere = hostIP === undefined || hostIP === '' || hostIP === '0.0.0.0';
      if (!isEverywhere && !isIpv4(hostIP)) return [];
      const hostIp = isEverywhere ? undefined : hostIP;
      return [{ protocol, hostIp, hostPort, podIp, containerPort }];
    }),
  );
}
