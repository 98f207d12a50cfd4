import type { Filter, PodView } from './filters/filter.ts';
import { hostPorts } from './filters/host-ports.ts';
import { nodeAffinity } from './filters/node-affinity.ts';
import { nodeReady } from './filters/node-ready.ts';
import { resourceFit } from './filters/resource-fit.ts';
import { taints } from './filters/taints.ts';
import type { NodeView } from './node-view.ts';
import { fewestPods } from './scores/fewest-pods.ts';
import { leastAllocated } from './scores/least-allocated.ts';
import type { Score } from './scores/score.ts';

/** In this order; the first filter that refuses a node explains it. */
const FILTERS: readonly Filter[] = [nodeReady, taints, nodeAffinity, hostPorts, resourceFit];
const SCORES: readonly Score[] = [leastAllocated, fewestPods];

export type Placement = { node: string } | { node: undefined; message: string };

/** The best node for a pod, or why there is none, in kube-scheduler's words. Equal nodes: the one whose name comes first. */
export function place(pod: PodView, nodes: Iterable<NodeView>): Placement {
  const refusals = new Map<string, number>();
  let total = 0;
  let best: { name: string; score: number } | undefined;
  for (const node of nodes) {
    total += 1;
    const reasons = refusalsOf(pod, node);
    for (const reason of reasons) refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
    if (reasons.length > 0) continue;
    const score = SCORES.reduce(
      (sum, { weight, score: rate }) => sum + weight * rate(pod, node),
      0,
    );
    const name = node.node.metadata.name;
    if (best === undefined || score > best.score || (score === best.score && name < best.name))
      best = { name, score };
  }
  return best === undefined
    ? { node: undefined, message: explain(total, refusals) }
    : { node: best.name };
}

function refusalsOf(pod: PodView, node: NodeView): readonly string[] {
  for (const filter of FILTERS) {
    const reasons = filter(pod, node);
    if (reasons.length > 0) return reasons;
  }
  return [];
}

/** `0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient memory.` (FitError.Error). */
function explain(total: number, refusals: ReadonlyMap<string, number>): string {
  if (total === 0) return 'no nodes available to schedule pods';
  const parts = [...refusals].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${total} nodes are available: ${parts.join(', ')}.`;
}
