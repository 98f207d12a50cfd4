import { isIpv4 } from '../../shared/meta/names.ts';
import type {
  Container,
  EndpointPort,
  ObjectReference,
  Pod,
  Service,
  ServicePort,
} from '../../shared/schema/kubernetes-types.ts';

/** What a pod is behind a Service, for slices and Endpoints alike. */

/** Whether the pod has an address that could be used, now or again. */
export function isEndpoint({ metadata, status }: Pod, withTerminating: boolean): boolean {
  const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  const isTerminating = metadata.deletionTimestamp !== undefined;
  return !isOver && Boolean(status?.podIP) && (withTerminating || !isTerminating);
}

export function isReady({ status }: Pod): boolean {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
}

export function addressesOf({ status }: Pod, family: 'IPv4' | 'IPv6'): string[] {
  const all = status?.podIPs?.map(({ ip }) => ip) ?? (status?.podIP ? [status.podIP] : []);
  return all.filter((ip): ip is string => ip !== undefined && isIpv4(ip) === (family === 'IPv4'));
}

export function podReference({ metadata }: Pod): ObjectReference {
  const { name, namespace = '', uid } = metadata;
  return { kind: 'Pod', namespace, name, uid };
}

/** A pod has its own name in DNS when its subdomain is the Service's name. */
export function hostnameFor(service: Service, { metadata, spec }: Pod): string | undefined {
  const isOfService =
    spec.subdomain === service.metadata.name && metadata.namespace === service.metadata.namespace;
  return isOfService && spec.hostname ? spec.hostname : undefined;
}

/** Without an address of its own. */
export function isHeadless({ spec }: Service): boolean {
  return !spec.clusterIP || spec.clusterIP === 'None';
}

/** The ports of the pod for the Service's; one whose name no container has is left out. */
export function portsFor({ spec }: Service, pod: Pod): (EndpointPort & { port: number })[] {
  return (spec.ports ?? []).flatMap((port) => {
    const number = targetPort(port, pod);
    if (number === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = port;
    return [{ name, port: number, protocol, ...(appProtocol !== undefined && { appProtocol }) }];
  });
}

function targetPort({ targetPort: target, port, protocol }: ServicePort, pod: Pod) {
  if (typeof target === 'number') return target || port;
  if (!target) return port;
  return containersOf(pod)
    .flatMap(({ ports = [] }) => ports)
    .find((own) => own.name === target && (own.protocol ?? 'TCP') === (protocol ?? 'TCP'))
    ?.containerPort;
}

/** Those that run as long as the pod; sidecars last. */
function containersOf({ spec }: Pod): Container[] {
  const sidecars = (spec.initContainers ?? []).filter(
    ({ restartPolicy }) => restartPolicy === 'Always',
  );
  return [...spec.containers, ...sidecars];
}
