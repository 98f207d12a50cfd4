import { findCondition } from '../../shared/meta/condition.ts';
import { NODES } from '../../shared/resources/node.ts';
import { PODS } from '../../shared/resources/pod.ts';
import { isTerminal } from '../../shared/resources/pod-conditions.ts';
import type { Node as KubeNode, Pod } from '../../shared/schema/kubernetes-types.ts';
import { equalJson } from '../store/json-equal.ts';
import type { Registry } from '../store/registry.ts';
import type { WatchEvent } from '../store/watch-cache.ts';
import {
  type Amounts,
  addAmounts,
  NOTHING,
  type NodeView,
  nodeAllocatable,
  podAmounts,
  podHostPorts,
} from './node-view.ts';

/** What a bound pod holds on its node. */
interface Holding {
  node: string;
  amounts: Amounts;
  hostPorts: readonly string[];
}

/**
 * Every node with what its pods ask for, kept up with each change: a decision reads it and computes nothing anew. `onRoom` is called
 * when a change may let a waiting pod in.
 */
export class ClusterView {
  readonly #registry: Registry;
  readonly #onRoom: () => void;
  readonly #nodes = new Map<string, KubeNode>();
  readonly #holdings = new Map<string, Holding>();
  readonly #views = new Map<string, NodeView>();
  readonly #used = new Map<
    string,
    { requested: Amounts; podCount: number; hostPorts: Set<string> }
  >();
  #unwatch: (() => void)[] = [];

  constructor(registry: Registry, onRoom: () => void) {
    this.#registry = registry;
    this.#onRoom = onRoom;
  }

  start(): void {
    const { cache } = this.#registry;
    const nodes = cache.snapshot(NODES);
    const pods = cache.snapshot(PODS);
    for (const node of nodes.objects) this.#putNode(node);
    for (const pod of pods.objects) this.#putPod(pod);
    this.#unwatch = [
      cache.watch(NODES, nodes.revision, (events) => {
        for (const { type, object } of events) {
          if (type === 'DELETED') this.#dropNode(object.metadata.name);
          else this.#putNode(object);
        }
        if (events.some(changesPlaces)) this.#onRoom();
      }),
      cache.watch(PODS, pods.revision, (events) => {
        let room = false;
        for (const { type, object } of events) {
          if (type === 'DELETED') room = this.#dropPod(object.metadata.uid) || room;
          else room = this.#putPod(object) || room;
        }
        if (room) this.#onRoom();
      }),
    ];
  }

  stop(): void {
    for (const end of this.#unwatch.splice(0)) end();
  }

  nodes(): Iterable<NodeView> {
    return this.#views.values();
  }

  #putNode(node: KubeNode): void {
    this.#nodes.set(node.metadata.name, node);
    this.#refresh(node.metadata.name);
  }

  #dropNode(name: string): void {
    this.#nodes.delete(name);
    this.#views.delete(name);
  }

  /** True when it gave something back. */
  #putPod(pod: Pod): boolean {
    const { uid } = pod.metadata;
    const node = pod.spec.nodeName;
    if (!node || isTerminal(pod)) return this.#dropPod(uid);
    if (this.#holdings.has(uid)) return false;
    const holding = { node, amounts: podAmounts(pod), hostPorts: podHostPorts(pod) };
    this.#holdings.set(uid, holding);
    this.#apply(holding, 1);
    return false;
  }

  #dropPod(uid: string): boolean {
    const holding = this.#holdings.get(uid);
    if (holding === undefined) return false;
    this.#holdings.delete(uid);
    this.#apply(holding, -1);
    return true;
  }

  #apply({ node, amounts, hostPorts }: Holding, sign: 1 | -1): void {
    const used = this.#used.get(node) ?? {
      requested: NOTHING,
      podCount: 0,
      hostPorts: new Set<string>(),
    };
    used.requested = addAmounts(used.requested, amounts, sign);
    used.podCount += sign;
    for (const port of hostPorts) {
      if (sign === 1) used.hostPorts.add(port);
      else used.hostPorts.delete(port);
    }
    if (used.podCount === 0) this.#used.delete(node);
    else this.#used.set(node, used);
    this.#refresh(node);
  }

  #refresh(name: string): void {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    const used = this.#used.get(name);
    const { amounts, pods } = nodeAllocatable(node);
    this.#views.set(name, {
      node,
      allocatable: amounts,
      allowedPods: pods,
      requested: used?.requested ?? NOTHING,
      podCount: used?.podCount ?? 0,
      hostPorts: used?.hostPorts ?? new Set(),
    });
  }
}

/** Whether a filter may now answer otherwise: most reports of a node's status tell of nothing that one looks at. */
function changesPlaces({ type, object, previous }: WatchEvent<KubeNode>): boolean {
  if (type !== 'MODIFIED' || previous === undefined) return true;
  const looked = ({ metadata, spec, status }: KubeNode) => ({
    labels: metadata.labels,
    spec,
    allocatable: status.allocatable,
    ready: findCondition(status.conditions, 'Ready')?.status,
  });
  return !equalJson(looked(object), looked(previous));
}
