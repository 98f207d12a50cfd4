import { isTerminal } from '../../../shared/resources/pod-conditions.ts';
import type { Deployment, Pod, ReplicaSet } from '../../../shared/schema/kubernetes-types.ts';
import {
  DESIRED_REPLICAS,
  newestSetAnnotations,
  REVISION,
  revisionOf,
  scaleAnnotations,
} from './annotations.ts';
import { compareAge } from './compare-age.ts';
import { equalTemplates, podTemplateHash } from './pod-template-hash.ts';
import { type RolloutBounds, rolloutBounds } from './rollout-bounds.ts';
import { scaleProportionally } from './scale-proportionally.ts';

export type DeploymentAction =
  | {
      kind: 'create';
      name: string;
      hash: string;
      replicas: number;
      annotations: Record<string, string>;
    }
  | { kind: 'scale'; set: ReplicaSet; replicas: number; annotations: Record<string, string> }
  | { kind: 'annotate'; set: ReplicaSet; annotations: Record<string, string> }
  | { kind: 'set-revision'; revision: number }
  | { kind: 'delete'; set: ReplicaSet };

/** The ReplicaSets of a Deployment by their role in its rollout. */
export interface Rollout {
  /** The one whose template is the Deployment's: the oldest, if there are several. */
  newest: ReplicaSet | undefined;
  old: ReplicaSet[];
}

export function rolloutOf(deployment: Deployment, sets: readonly ReplicaSet[]): Rollout {
  const byAge = [...sets].sort(compareAge);
  const newest = byAge.find(
    ({ spec }) =>
      spec.template !== undefined && equalTemplates(spec.template, deployment.spec.template),
  );
  return { newest, old: byAge.filter((set) => set !== newest) };
}

/**
 * One step of a Deployment, as kube-controller-manager takes it: at most one size is changed towards the goal, by available pods, so
 * that neither more than replicas + maxSurge exist nor fewer than replicas - maxUnavailable are available. Run again after each change.
 *
 * `pods` are those of the old ReplicaSets; only Recreate looks at them.
 */
export function planDeployment(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  oldPods: readonly Pod[],
): DeploymentAction[] {
  if (deployment.metadata.deletionTimestamp !== undefined) return [];
  const rollout = rolloutOf(deployment, sets);
  const bounds = rolloutBounds(deployment);
  if (deployment.spec.paused === true || isScaling(deployment, sets)) {
    return planScale(deployment, rollout, bounds);
  }
  const steps =
    deployment.spec.strategy?.type === 'Recreate'
      ? planRecreate(deployment, rollout, bounds, oldPods)
      : planRollingUpdate(deployment, rollout, bounds);
  return steps.length > 0 ? steps : planHistory(deployment, rollout);
}

/** Somebody changed spec.replicas: an active set was sized for another number. */
function isScaling(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets.some((set) => {
    const sizedFor = set.metadata.annotations?.[DESIRED_REPLICAS];
    return (
      isActiveSet(set) && sizedFor !== undefined && Number(sizedFor) !== deployment.spec.replicas
    );
  });
}

function planScale(
  deployment: Deployment,
  { newest, old }: Rollout,
  bounds: RolloutBounds,
): DeploymentAction[] {
  const desired = deployment.spec.replicas ?? 1;
  const annotations = scaleAnnotations(desired, bounds.maxSurge);
  const active = [...(newest === undefined ? [] : [newest]), ...old].filter(isActiveSet);
  const latest = newest ?? old.at(-1);
  const only = active.length === 1 ? active[0] : active.length === 0 ? latest : undefined;
  if (only !== undefined) {
    return only.spec.replicas === desired
      ? annotate(only, annotations)
      : [scaleTo(only, desired, annotations)];
  }
  if (
    newest !== undefined &&
    newest.spec.replicas === desired &&
    newest.status.availableReplicas === desired
  ) {
    return old.filter(isActiveSet).map((set) => scaleTo(set, 0, annotations));
  }
  if (deployment.spec.strategy?.type === 'Recreate') return [];
  const allowed = desired > 0 ? desired + bounds.maxSurge : 0;
  const sizes = scaleProportionally(active, newest, desired, allowed);
  return active.flatMap((set) => {
    const next = sizes.get(set.metadata.uid);
    return next === undefined ? annotate(set, annotations) : [scaleTo(set, next, annotations)];
  });
}

function planRecreate(
  deployment: Deployment,
  { newest, old }: Rollout,
  bounds: RolloutBounds,
  oldPods: readonly Pod[],
): DeploymentAction[] {
  const annotations = scaleAnnotations(deployment.spec.replicas ?? 1, bounds.maxSurge);
  const down = old.filter(isActiveSet).map((set) => scaleTo(set, 0, annotations));
  if (down.length > 0) return down;
  // The old version must be gone before the new one starts: that is what Recreate is for.
  if (oldPods.some((pod) => !isTerminal(pod))) return [];
  return planNewest(deployment, { newest, old }, bounds, deployment.spec.replicas ?? 1);
}

function planRollingUpdate(
  deployment: Deployment,
  rollout: Rollout,
  bounds: RolloutBounds,
): DeploymentAction[] {
  const { newest, old } = rollout;
  const size = newestSize(deployment, newest, old, bounds);
  const up = planNewest(deployment, rollout, bounds, size);
  if (up.length > 0 || newest === undefined) return up;
  return planOldDown(deployment, newest, old, bounds);
}

/** NewRSNewReplicas: as large as the surge allows beside what still runs. */
function newestSize(
  deployment: Deployment,
  newest: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
  bounds: RolloutBounds,
): number {
  const desired = deployment.spec.replicas ?? 1;
  const current = newest?.spec.replicas ?? 0;
  const total = current + totalReplicas(old);
  const allowed = desired + bounds.maxSurge;
  if (total >= allowed) return Math.min(current, desired);
  return Math.min(current + Math.min(allowed - total, desired - current), desired);
}

/** Makes the newest ReplicaSet, sizes it, or brings its annotations up to date. */
function planNewest(
  deployment: Deployment,
  { newest, old }: Rollout,
  bounds: RolloutBounds,
  size: number,
): DeploymentAction[] {
  const revision = Math.max(0, ...old.map(revisionOf)) + 1;
  const scaled = scaleAnnotations(deployment.spec.replicas ?? 1, bounds.maxSurge);
  const annotations = {
    ...newestSetAnnotations(deployment, newest?.metadata.annotations, revision),
    ...scaled,
  };
  const revisionStep = setRevision(deployment, Number(annotations[REVISION]));
  if (newest === undefined) {
    const hash = podTemplateHash(deployment.spec.template, deployment.status.collisionCount);
    const name = `${deployment.metadata.name}-${hash}`;
    return [{ kind: 'create', name, hash, replicas: size, annotations }, ...revisionStep];
  }
  if (newest.spec.replicas !== size) return [scaleTo(newest, size, annotations), ...revisionStep];
  return [...annotate(newest, annotations), ...revisionStep];
}

/** Old pods that are not available go first, then available ones as far as the newest set's available pods allow. */
function planOldDown(
  deployment: Deployment,
  newest: ReplicaSet,
  old: readonly ReplicaSet[],
  bounds: RolloutBounds,
): DeploymentAction[] {
  const desired = deployment.spec.replicas ?? 1;
  const annotations = scaleAnnotations(desired, bounds.maxSurge);
  const minAvailable = desired - bounds.maxUnavailable;
  const newestUnavailable = (newest.spec.replicas ?? 0) - (newest.status.availableReplicas ?? 0);
  const total = totalReplicas(old) + (newest.spec.replicas ?? 0);
  const maxDown = total - minAvailable - newestUnavailable;
  if (maxDown <= 0) return [];
  const sizes = new Map(old.map((set) => [set, set.spec.replicas ?? 0]));
  takeUnavailable(old, sizes, maxDown);
  const available = [newest, ...old].reduce(
    (sum, set) =>
      sum + Math.min(set.status.availableReplicas ?? 0, sizes.get(set) ?? set.spec.replicas ?? 0),
    0,
  );
  takeAny(old, sizes, available - minAvailable);
  return old.flatMap((set) => {
    const next = sizes.get(set) ?? 0;
    return next === set.spec.replicas ? [] : [scaleTo(set, next, annotations)];
  });
}

/** cleanupUnhealthyReplicas. */
function takeUnavailable(
  old: readonly ReplicaSet[],
  sizes: Map<ReplicaSet, number>,
  most: number,
): void {
  let left = most;
  for (const set of old) {
    const size = sizes.get(set) ?? 0;
    const taken = Math.max(0, Math.min(left, size - (set.status.availableReplicas ?? 0)));
    sizes.set(set, size - taken);
    left -= taken;
  }
}

/** scaleDownOldReplicaSetsForRollingUpdate. */
function takeAny(old: readonly ReplicaSet[], sizes: Map<ReplicaSet, number>, most: number): void {
  let left = Math.max(0, most);
  for (const set of old) {
    const size = sizes.get(set) ?? 0;
    const taken = Math.min(left, size);
    sizes.set(set, size - taken);
    left -= taken;
  }
}

/** When the rollout is complete, old empty ReplicaSets beyond revisionHistoryLimit go, the oldest revisions first. */
function planHistory(deployment: Deployment, { newest, old }: Rollout): DeploymentAction[] {
  if (newest === undefined || !isComplete(deployment)) return [];
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  const removable = old.filter(
    ({ spec, status, metadata }) =>
      spec.replicas === 0 &&
      status.replicas === 0 &&
      (metadata.generation ?? 0) <= (status.observedGeneration ?? 0) &&
      metadata.deletionTimestamp === undefined,
  );
  return [...removable]
    .sort((left, right) => revisionOf(left) - revisionOf(right))
    .slice(0, Math.max(0, old.length - limit))
    .map((set): DeploymentAction => ({ kind: 'delete', set }));
}

/** DeploymentComplete: every pod is of the newest template, available, and no other exists. */
export function isComplete({ spec, status, metadata }: Deployment): boolean {
  return (
    (status.updatedReplicas ?? 0) === spec.replicas &&
    (status.replicas ?? 0) === spec.replicas &&
    (status.availableReplicas ?? 0) === spec.replicas &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}

function setRevision(deployment: Deployment, revision: number): DeploymentAction[] {
  return revisionOf(deployment) === revision ? [] : [{ kind: 'set-revision', revision }];
}

function scaleTo(
  set: ReplicaSet,
  replicas: number,
  annotations: Record<string, string>,
): DeploymentAction {
  return {
    kind: 'scale',
    set,
    replicas,
    annotations: { ...set.metadata.annotations, ...annotations },
  };
}

function annotate(set: ReplicaSet, annotations: Record<string, string>): DeploymentAction[] {
  const current = set.metadata.annotations ?? {};
  const same = Object.entries(annotations).every(([key, value]) => current[key] === value);
  return same ? [] : [{ kind: 'annotate', set, annotations: { ...current, ...annotations } }];
}

function isActiveSet(set: ReplicaSet): boolean {
  return (set.spec.replicas ?? 0) > 0;
}

function totalReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, { spec }) => sum + (spec.replicas ?? 0), 0);
}
