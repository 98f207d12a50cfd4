import type { ObjectKey } from '../../shared/meta/kube-object.ts';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import { documentKey, type PlannedPod, plannedPod } from './plan-documents.ts';

/** Which pods each node has, and which nodes use a ConfigMap or Secret: so that a change costs only the nodes that it concerns. */
export class Assignments {
  /** Remembers what follows from each stored pod. */
  readonly planned = new WeakMap<Pod, PlannedPod>();
  readonly #pods = new Map<string, Map<string, Pod>>();
  /** Document key → node → how many of its pods name it. */
  readonly #users = new Map<string, Map<string, number>>();

  /** The pod changed from `previous` to `next`; either may be missing. Answers the nodes that it concerns. */
  change(previous: Pod | undefined, next: Pod | undefined): Set<string> {
    const nodes = new Set<string>();
    if (previous) this.#remove(previous, nodes);
    if (next) this.#add(next, nodes);
    return nodes;
  }

  podsOf(node: string): Iterable<Pod> {
    return this.#pods.get(node)?.values() ?? [];
  }

  hasPods(node: string): boolean {
    return this.#pods.has(node);
  }

  usersOf(plural: 'configmaps' | 'secrets', key: ObjectKey): Iterable<string> {
    return this.#users.get(documentKey(plural, key.namespace, key.name))?.keys() ?? [];
  }

  #add(pod: Pod, nodes: Set<string>): void {
    const node = pod.spec.nodeName;
    if (!node) return;
    nodes.add(node);
    const pods = this.#pods.get(node) ?? new Map<string, Pod>();
    this.#pods.set(node, pods.set(identity(pod), pod));
    for (const key of this.#referencesOf(pod)) {
      const users = this.#users.get(key) ?? new Map<string, number>();
      this.#users.set(key, users.set(node, (users.get(node) ?? 0) + 1));
    }
  }

  #remove(pod: Pod, nodes: Set<string>): void {
    const node = pod.spec.nodeName;
    if (!node) return;
    nodes.add(node);
    const pods = this.#pods.get(node);
    pods?.delete(identity(pod));
    if (pods?.size === 0) this.#pods.delete(node);
    for (const key of this.#referencesOf(pod)) {
      const users = this.#users.get(key);
      const count = (users?.get(node) ?? 0) - 1;
      if (count > 0) users?.set(node, count);
      else users?.delete(node);
      if (users?.size === 0) this.#users.delete(key);
    }
  }

  #referencesOf(pod: Pod): string[] {
    const { references } = plannedPod(pod, this.planned);
    const namespace = pod.metadata.namespace ?? '';
    return [
      ...[...references.configMaps].map((name) => documentKey('configmaps', namespace, name)),
      ...[...references.secrets].map((name) => documentKey('secrets', namespace, name)),
    ];
  }
}

function identity({ metadata }: Pod): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
