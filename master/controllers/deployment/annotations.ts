import type { Deployment, ReplicaSet } from '../../../shared/schema/kubernetes-types.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';

/** Annotations of a Deployment that its ReplicaSets do not inherit. */
const NOT_COPIED: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
]);

export function revisionOf(object: ReplicaSet | Deployment): number {
  return Number(object.metadata.annotations?.[REVISION] ?? 0) || 0;
}

/** The annotations of the newest ReplicaSet: the Deployment's own, its revision (never lowered) and the revisions it had before. */
export function newestSetAnnotations(
  deployment: Deployment,
  existing: Readonly<Record<string, string>> | undefined,
  revision: number,
): Record<string, string> {
  const inherited = Object.entries(deployment.metadata.annotations ?? {}).filter(
    ([key]) => !NOT_COPIED.has(key),
  );
  const before = Number(existing?.[REVISION] ?? 0) || 0;
  const raised = before < revision;
  const history = existing?.[REVISION_HISTORY];
  const past =
    raised && before > 0 ? [...(history ? [history] : []), String(before)].join(',') : history;
  return {
    ...existing,
    ...Object.fromEntries(inherited),
    [REVISION]: String(Math.max(before, revision)),
    ...(past !== undefined && { [REVISION_HISTORY]: past }),
  };
}

/** The two numbers that let the controller tell a change of spec.replicas from a rollout. */
export function scaleAnnotations(desired: number, maxSurge: number): Record<string, string> {
  return { [DESIRED_REPLICAS]: String(desired), [MAX_REPLICAS]: String(desired + maxSurge) };
}
