import type { PodView } from '../filters/filter.ts';
import type { NodeView } from '../node-view.ts';

/** How good a node is for a pod, 0 … 100; the scheduler adds them up with their weights. */
export interface Score {
  name: string;
  weight: number;
  score(pod: PodView, node: NodeView): number;
}
