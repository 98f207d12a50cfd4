import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  type Quantity,
  quantityToMilli,
  quantityToNumber,
  tryParseQuantity,
  ZERO_QUANTITY,
} from '../meta/quantity.ts';
import type { Container, PodSpec } from '../schema/kubernetes-types.ts';

/** Amounts by resource name: `cpu`, `memory`, `ephemeral-storage`, extended resources. */
export type ResourceAmounts = ReadonlyMap<string, Quantity>;

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/**
 * What the pod needs of a node: the larger of what its containers and sidecars need together and of what any step of its
 * initialisation needs, plus the overhead (KEP-753; component-helpers resource.PodRequests).
 */
export function podRequests(spec: PodSpec): ResourceAmounts {
  return podAmounts(spec, requestsOf);
}

/** The same sums over the limits; overhead counts only for resources that have a limit (component-helpers PodLimits). */
export function podLimits(spec: PodSpec): ResourceAmounts {
  return podAmounts(spec, limitsOf);
}

/** Milli-CPUs; 0 when the amounts have none. */
export function milliCpuOf(amounts: ResourceAmounts): number {
  return quantityToMilli(amounts.get('cpu') ?? ZERO_QUANTITY);
}

/** Bytes; 0 when the amounts have none. */
export function memoryBytesOf(amounts: ResourceAmounts): number {
  return quantityToNumber(amounts.get('memory') ?? ZERO_QUANTITY);
}

/** In the form of a manifest: `{ cpu: '250m' }`. */
export function formatAmounts(amounts: ResourceAmounts): Record<string, string> {
  return Object.fromEntries([...amounts].map(([name, amount]) => [name, formatQuantity(amount)]));
}

function parseAmounts(list: Readonly<Record<string, string>> | undefined): ResourceAmounts {
  const amounts = new Map<string, Quantity>();
  for (const name in list) {
    const quantity = tryParseQuantity(String(list[name]));
    if (quantity !== undefined) amounts.set(name, quantity);
  }
  return amounts;
}

/**
 * Guaranteed: every container has equal requests and limits of CPU and memory. BestEffort: none has any. Burstable: the rest
 * (the pod QoS classes of Kubernetes' documentation).
 */
export function podQosClass(spec: PodSpec): QosClass {
  const requests = new Map<string, Quantity>();
  const limits = new Map<string, Quantity>();
  let isGuaranteed = true;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    addComputeAmounts(requests, requestsOf(container));
    const ownLimits = limitsOf(container);
    addComputeAmounts(limits, ownLimits);
    if (!COMPUTE.every((name) => isPositive(ownLimits.get(name)))) isGuaranteed = false;
  }
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  const isEqual =
    requests.size === limits.size &&
    [...requests].every(([name, amount]) => amount.nano === limits.get(name)?.nano);
  return isGuaranteed && isEqual ? 'Guaranteed' : 'Burstable';
}

/** An init container with restartPolicy Always: it runs beside the main ones (KEP-753). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

const COMPUTE = ['cpu', 'memory'];

type Reader = (container: Container) => ResourceAmounts;

const requestsOf: Reader = ({ resources }) =>
  parseAmounts(
    resources?.limits ? { ...resources.limits, ...resources.requests } : resources?.requests,
  );

const limitsOf: Reader = ({ resources }) => parseAmounts(resources?.limits);

function podAmounts(spec: PodSpec, read: Reader): ResourceAmounts {
  const total = new Map<string, Quantity>();
  for (const container of spec.containers) addAll(total, read(container));

  const sidecars = new Map<string, Quantity>();
  const peak = new Map<string, Quantity>();
  for (const container of spec.initContainers ?? []) {
    const own = read(container);
    if (isSidecar(container)) {
      addAll(total, own);
      addAll(sidecars, own);
      raiseTo(peak, sidecars);
    } else {
      const beside = new Map(own);
      addAll(beside, sidecars);
      raiseTo(peak, beside);
    }
  }
  raiseTo(total, peak);
  for (const [name, amount] of parseAmounts(spec.overhead)) {
    if (read === limitsOf && !total.has(name)) continue;
    total.set(name, addQuantities(total.get(name) ?? ZERO_QUANTITY, amount));
  }
  return total;
}

function addAll(total: Map<string, Quantity>, more: ResourceAmounts): void {
  for (const [name, amount] of more) {
    total.set(name, addQuantities(total.get(name) ?? ZERO_QUANTITY, amount));
  }
}

function raiseTo(amounts: Map<string, Quantity>, least: ResourceAmounts): void {
  for (const [name, amount] of least) {
    const present = amounts.get(name);
    if (present === undefined || compareQuantities(amount, present) > 0) amounts.set(name, amount);
  }
}

function addComputeAmounts(total: Map<string, Quantity>, more: ResourceAmounts): void {
  for (const name of COMPUTE) {
    const amount = more.get(name);
    if (!isPositive(amount)) continue;
    total.set(name, addQuantities(total.get(name) ?? ZERO_QUANTITY, amount));
  }
}

function isPositive(amount: Quantity | undefined): amount is Quantity {
  return amount !== undefined && amount.nano > 0n;
}
