import { queueKey } from '../../shared/reconcile/queue-key.ts';
import { PODS } from '../../shared/resources/pod.ts';
import { SERVICES } from '../../shared/resources/service.ts';
import type { Pod, Service } from '../../shared/schema/kubernetes-types.ts';
import type { Registry } from '../store/registry.ts';
import { GroupedObjects } from './grouped-objects.ts';

/** Which pods a Service selects and which Services select a pod, found by their labels and not by looking at all of them. */
export class ServicePods {
  readonly #pods: GroupedObjects<Pod>;
  readonly #services: GroupedObjects<Service>;

  constructor(registry: Registry) {
    this.#pods = new GroupedObjects(registry, PODS, ({ metadata }) =>
      pairs(metadata.namespace, metadata.labels),
    );
    // Under one pair only: a pod that is selected has it too.
    this.#services = new GroupedObjects(registry, SERVICES, ({ metadata, spec }) =>
      pairs(metadata.namespace, spec?.selector).slice(0, 1),
    );
  }

  start(): void {
    this.#pods.start();
    this.#services.start();
  }

  stop(): void {
    this.#pods.stop();
    this.#services.stop();
  }

  /** None for a Service without a selector. */
  podsOf({ metadata, spec }: Service): Pod[] {
    const groups = pairs(metadata.namespace, spec.selector);
    const [smallest] = groups.sort((a, b) => this.#pods.size(a) - this.#pods.size(b));
    if (smallest === undefined) return [];
    return this.#pods.of(smallest).filter((pod) => selects(spec.selector, pod));
  }

  /** The queue keys of the Services that select one of these states of a pod. */
  servicesOf(...states: readonly (Pod | undefined)[]): string[] {
    const keys = new Set<string>();
    for (const pod of states) {
      if (pod === undefined) continue;
      for (const pair of pairs(pod.metadata.namespace, pod.metadata.labels)) {
        for (const service of this.#services.of(pair)) {
          if (selects(service.spec.selector, pod)) keys.add(queueKey(service));
        }
      }
    }
    return [...keys];
  }
}

function pairs(
  namespace: string | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): string[] {
  return Object.entries(labels ?? {}).map(([key, value]) => `${namespace}/${key}=${value}`);
}

function selects(selector: Readonly<Record<string, string>> | undefined, pod: Pod): boolean {
  const labels = pod.metadata.labels ?? {};
  return Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value);
}
