import type { Pod } from '../../../shared/schema/kubernetes-types.ts';
import type { Amounts, NodeView } from '../node-view.ts';

/** A pod with what was computed of it once for all nodes. */
export interface PodView {
  pod: Pod;
  requests: Amounts;
  hostPorts: readonly string[];
}

/** Says why a node cannot take a pod, in the words that `kubectl describe pod` shows; an empty list when it can. */
export type Filter = (pod: PodView, node: NodeView) => readonly string[];
