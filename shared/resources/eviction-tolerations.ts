import type { PodSpec, Toleration } from '../schema/kubernetes-types.ts';

/** How long a pod stays on a node that is away, when it does not say so itself (admission DefaultTolerationSeconds). */
const TOLERATION_SECONDS = 300;

const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** The spec with a toleration of a limited time for each of the two taints of an absent node that it has no toleration for. */
export function withEvictionTolerations(spec: PodSpec): PodSpec {
  const own = spec.tolerations ?? [];
  const added = TAINTS.filter((taint) => !own.some((one) => concerns(one, taint))).map((key) => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: TOLERATION_SECONDS,
  }));
  return added.length === 0 ? spec : { ...spec, tolerations: [...own, ...added] };
}

function concerns({ key = '', effect = '' }: Toleration, taint: string): boolean {
  return (key === '' || key === taint) && (effect === '' || effect === 'NoExecute');
}
