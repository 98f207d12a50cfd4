import { allContainers } from '../../shared/resources/pod-containers.ts';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import type { ObservedContainer } from './container-labels.ts';
import { graceOf, type ObservedPod, runningOf, waitOf } from './observed-pod.ts';
import { planContainers } from './plan-containers.ts';
import { planStop } from './plan-stop.ts';
import type { PodAction, PodPlan } from './pod-actions.ts';
import { isOver, type PodRecord } from './pod-record.ts';

/** A pod that no desired state names any more is ended as by a forced deletion on Kubernetes: two seconds, by planStop's least. */
const FORCED_GRACE_MS = 1_000;

/** What to do next for one pod. Pure; the same input gives the same plan. */
export function planPod(desired: Pod | undefined, observed: ObservedPod, nowMs: number): PodPlan {
  if (desired === undefined) {
    return planRemoval(undefined, observed, FORCED_GRACE_MS, { kind: 'forget' }, nowMs);
  }
  if (observed.record.gone === true) return idle(true);
  if (desired.metadata.deletionTimestamp !== undefined) {
    const graceMs = Math.max(1_000, (desired.metadata.deletionGracePeriodSeconds ?? 0) * 1000);
    return planRemoval(desired, observed, graceMs, { kind: 'reportGone' }, nowMs);
  }
  if (isOver(observed.record)) return planFinished(desired, observed, nowMs);
  const deadline = planDeadline(desired, observed.record, nowMs);
  if (deadline.isOver) return withActions([deadline.fail]);
  return soonest(planRun(desired, observed, nowMs), deadline.leftMs);
}

/** Deleted or no longer wanted: everything ends and goes, then `last`. */
function planRemoval(
  pod: Pod | undefined,
  observed: ObservedPod,
  graceMs: number,
  last: PodAction,
  nowMs: number,
): PodPlan {
  const stop = planStop(pod, runningOf(observed), observed.stopping, graceMs, nowMs);
  if (stop.lookAgainAfterMs !== undefined) return { ...idle(true), ...stop };
  if (observed.containers.length > 0) {
    return withActions(
      observed.containers.map((container) => removal(container, undefined)),
      true,
    );
  }
  return withActions([observed.tornDown ? last : { kind: 'tearDown' }], true);
}

/** Succeeded or Failed: what still runs ends, sandbox and volumes go, the ended containers stay for their logs. */
function planFinished(pod: Pod, observed: ObservedPod, nowMs: number): PodPlan {
  const graceMs = graceOf(pod);
  const stop = planStop(pod, runningOf(observed), observed.stopping, graceMs, nowMs);
  if (stop.lookAgainAfterMs !== undefined) return { ...idle(true), ...stop };
  const superseded = planSuperseded(observed);
  if (!observed.tornDown) superseded.push({ kind: 'tearDown' });
  return withActions(superseded, true);
}

function planDeadline(pod: Pod, record: PodRecord, nowMs: number) {
  const seconds = pod.spec.activeDeadlineSeconds;
  const fail: PodAction = {
    kind: 'fail',
    reason: 'DeadlineExceeded',
    message: 'Pod was active on the node longer than the specified deadline',
  };
  if (seconds === undefined) return { isOver: false, leftMs: undefined, fail };
  const leftMs = record.startedAtMs + seconds * 1000 - nowMs;
  return { isOver: leftMs <= 0, leftMs, fail };
}

function planRun(pod: Pod, observed: ObservedPod, nowMs: number): PodPlan {
  const stale = runningOf(observed).filter(
    ({ sandbox }) => observed.sandbox === 'lost' || sandbox !== observed.record.sandbox,
  );
  if (stale.length > 0) {
    return { ...idle(), ...planStop(pod, stale, observed.stopping, graceOf(pod), nowMs) };
  }
  if (observed.sandbox === 'none' || observed.sandbox === 'lost') {
    if (isDoneWithoutSandbox(pod, observed.record)) return planFinished(pod, observed, nowMs);
    return planSetUp(pod, observed, true, nowMs);
  }
  if (observed.sandbox === 'found') return planSetUp(pod, observed, false, nowMs);

  // What never ran, or was lost, holds the name of an attempt that may be made again now.
  const leftovers = observed.containers.filter(
    ({ state }) => state === 'created' || state === 'lost',
  );
  if (leftovers.length > 0) {
    return withActions(leftovers.map((container) => removal(container, undefined)));
  }
  const plan = planContainers(pod, observed, nowMs);
  if (observed.volumesStale) plan.actions.push({ kind: 'refreshVolumes' });
  // Tidying waits until nothing more urgent is to be done.
  if (plan.actions.length === 0) plan.actions.push(...planSuperseded(observed));
  return plan;
}

/** A pod whose sandbox is gone is not begun again when its restart policy forbids it. */
function isDoneWithoutSandbox(pod: Pod, record: PodRecord): boolean {
  const runs = pod.spec.containers.map(({ name }) => record.containers[name]?.run);
  const hasRun =
    runs.some((run) => run !== undefined) ||
    (pod.spec.initContainers ?? []).some(({ name }) => record.containers[name]?.run !== undefined);
  const policy = pod.spec.restartPolicy ?? 'Always';
  if (policy === 'Never') return hasRun;
  return policy === 'OnFailure' && runs.every((run) => run?.ended?.exitCode === 0);
}

function planSetUp(pod: Pod, observed: ObservedPod, newSandbox: boolean, nowMs: number): PodPlan {
  const leftMs = waitOf(observed.setUpProblem, nowMs);
  if (leftMs !== 0) return leftMs === undefined ? idle() : { ...idle(), lookAgainAfterMs: leftMs };
  const actions = planSuperseded(observed);
  actions.push({ kind: 'setUp', newSandbox });
  // Looking an image up costs a call to the engine: it runs beside the set-up.
  const images = new Set(allContainers(pod.spec).map(({ image }) => image ?? ''));
  for (const image of images) {
    if (observed.images(image).state === 'unknown') actions.push({ kind: 'lookUpImage', image });
  }
  return withActions(actions);
}

/** Of each container the newest attempt stays, and the one before (for `logs --previous`); what never ran or was lost goes. */
function planSuperseded(observed: ObservedPod): PodAction[] {
  return observed.containers
    .filter((container) => {
      const run = observed.record.containers[container.container]?.run;
      if (container.state === 'created' || container.state === 'lost') return true;
      return (
        container.state === 'exited' && run !== undefined && container.attempt < run.attempt - 1
      );
    })
    .map((container) => {
      const run = observed.record.containers[container.container]?.run;
      const isOld = run !== undefined && container.attempt < run.attempt - 1;
      return removal(container, isOld ? container.attempt : undefined);
    });
}

function removal({ id, container }: ObservedContainer, log: number | undefined): PodAction {
  return { kind: 'removeContainer', id, container, log };
}

function idle(finished = false): PodPlan {
  return { actions: [], waiting: new Map(), finished };
}

function withActions(actions: PodAction[], finished = false): PodPlan {
  return { actions, waiting: new Map(), finished };
}

function soonest(plan: PodPlan, leftMs: number | undefined): PodPlan {
  if (leftMs === undefined) return plan;
  return { ...plan, lookAgainAfterMs: Math.min(leftMs, plan.lookAgainAfterMs ?? leftMs) };
}
