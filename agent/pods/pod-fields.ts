import { memoryBytes, milliCpu, parseQuantity } from '../../shared/meta/quantity.ts';
import type {
  Container,
  Pod,
  ResourceFieldSelector,
} from '../../shared/schema/kubernetes-types.ts';

/** What a pod's fields say on this node; the address is empty until the sandbox has one. */
export interface PodFieldContext {
  podIp: string;
  hostIp: string;
  nodeName: string;
  allocatable: { cpuMilli: number; memoryBytes: number };
}

/** A field path that is not served; the message is the kubelet's. */
class PodFieldError extends Error {}

/** The text of `fieldPath` (downward API). Throws PodFieldError. */
export function podFieldValue(pod: Pod, fieldPath: string, context: PodFieldContext): string {
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath);
  if (subscript !== null) {
    const [, map, key = ''] = subscript;
    return (map === 'labels' ? pod.metadata.labels : pod.metadata.annotations)?.[key] ?? '';
  }
  switch (fieldPath) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid;
    case 'metadata.labels':
      return formatMap(pod.metadata.labels);
    case 'metadata.annotations':
      return formatMap(pod.metadata.annotations);
    case 'spec.nodeName':
      return pod.spec.nodeName ?? context.nodeName;
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return context.hostIp;
    case 'status.podIP':
    case 'status.podIPs':
      return context.podIp;
    default:
      throw new PodFieldError(`unsupported fieldPath: ${fieldPath}`);
  }
}

/**
 * The number that `resourceFieldRef` names, in units of its divisor, rounded up; without a limit it is what the node can give.
 * Throws PodFieldError.
 */
export function resourceFieldValue(
  container: Container,
  selector: ResourceFieldSelector,
  { allocatable }: PodFieldContext,
): string {
  const { requests, limits } = container.resources ?? {};
  const divisor =
    selector.divisor === undefined || selector.divisor === '' ? '0' : selector.divisor;
  const hasDivisor = parseQuantity(divisor).nano !== 0n;
  const cpu = (text: string | undefined, otherwise: number): string => {
    const milli = text === undefined || milliCpu(text) === 0 ? otherwise : milliCpu(text);
    return String(Math.ceil(milli / (hasDivisor ? milliCpu(divisor) : 1000)));
  };
  const bytes = (text: string | undefined, otherwise: number): string => {
    const value = text === undefined || memoryBytes(text) === 0 ? otherwise : memoryBytes(text);
    return String(Math.ceil(value / (hasDivisor ? memoryBytes(divisor) : 1)));
  };
  switch (selector.resource) {
    case 'limits.cpu':
      return cpu(limits?.['cpu'], allocatable.cpuMilli);
    case 'limits.memory':
      return bytes(limits?.['memory'], allocatable.memoryBytes);
    case 'limits.ephemeral-storage':
      return bytes(limits?.['ephemeral-storage'], 0);
    case 'requests.cpu':
      return cpu(requests?.['cpu'], 0);
    case 'requests.memory':
      return bytes(requests?.['memory'], 0);
    case 'requests.ephemeral-storage':
      return bytes(requests?.['ephemeral-storage'], 0);
    default:
      throw new PodFieldError(`unsupported container resource : ${selector.resource}`);
  }
}

/** One `key="value"` a line, in key order, values quoted as Go's %q. */
function formatMap(map: Record<string, string> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}
