import { scaledValue } from '../../../shared/meta/int-or-string.ts';
import type { Deployment } from '../../../shared/schema/kubernetes-types.ts';

/** How many pods a rolling update may have above, and may lack below, spec.replicas. */
export interface RolloutBounds {
  maxSurge: number;
  maxUnavailable: number;
}

/**
 * Both bounds as whole numbers: surge rounds up, unavailable rounds down, and if both come out as 0 one pod may be unavailable, else
 * nothing could move (deploymentutil.ResolveFenceposts). Recreate has neither.
 */
export function rolloutBounds(deployment: Deployment): RolloutBounds {
  const { strategy, replicas = 1 } = deployment.spec;
  if (strategy?.type === 'Recreate') return { maxSurge: 0, maxUnavailable: 0 };
  const maxSurge = scaledValue(strategy?.rollingUpdate?.maxSurge ?? '25%', replicas, 'up') ?? 0;
  const unavailable =
    scaledValue(strategy?.rollingUpdate?.maxUnavailable ?? '25%', replicas, 'down') ?? 0;
  const maxUnavailable = maxSurge === 0 && unavailable === 0 ? 1 : unavailable;
  return { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) };
}
