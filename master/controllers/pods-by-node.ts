import { PODS } from '../../shared/resources/pod.ts';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import type { Registry } from '../store/registry.ts';

/** The pods of each node, kept up with each change. */
export class PodsByNode {
  readonly #registry: Registry;
  readonly #pods = new Map<string, Map<string, Pod>>();
  #unwatch: (() => void) | undefined;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  start(): void {
    const { revision, objects } = this.#registry.cache.snapshot(PODS);
    for (const pod of objects) this.#add(pod);
    this.#unwatch = this.#registry.cache.watch(PODS, revision, (events) => {
      for (const { type, object } of events) {
        if (type === 'DELETED') this.#remove(object);
        else this.#add(object);
      }
    });
  }

  stop(): void {
    this.#unwatch?.();
  }

  on(node: string): Pod[] {
    return [...(this.#pods.get(node)?.values() ?? [])];
  }

  #add(pod: Pod): void {
    const node = pod.spec.nodeName;
    if (!node) return;
    const pods = this.#pods.get(node);
    if (pods === undefined) this.#pods.set(node, new Map([[pod.metadata.uid, pod]]));
    else pods.set(pod.metadata.uid, pod);
  }

  #remove(pod: Pod): void {
    const node = pod.spec.nodeName ?? '';
    const pods = this.#pods.get(node);
    pods?.delete(pod.metadata.uid);
    if (pods?.size === 0) this.#pods.delete(node);
  }
}
