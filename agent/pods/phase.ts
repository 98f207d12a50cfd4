import { isSidecar } from '../../shared/resources/pod-resources.ts';
import type { ContainerStatus, Pod } from '../../shared/schema/kubernetes-types.ts';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** The pod's phase from its containers' states; `finished`: none of them will be started again, `replacing`: one that ended will, whatever the policy. */
export function podPhase(
  pod: Pod,
  init: readonly ContainerStatus[],
  main: readonly ContainerStatus[],
  { finished, replacing }: { finished: boolean; replacing: boolean },
): PodPhase {
  const policy = pod.spec.restartPolicy ?? 'Always';
  const initial = countInit(pod, init);
  const all = countMain(main, initial);
  if (initial.failed > 0 && policy === 'Never') return 'Failed';
  const isSettled = finished && all.running === 0 && initial.runningOnce === 0;
  const hasBegun = main.some(hasStarted);
  const isInitialising =
    initial.pending > 0 || (initial.pendingSidecars > 0 && !hasBegun) || all.waiting > 0;
  // What never ran and never will makes a pod that ended before its work was done.
  if (isInitialising) return isSettled ? 'Failed' : 'Pending';
  if (all.running > 0) return 'Running';
  if (!isSettled && (policy === 'Always' || replacing)) return 'Running';
  if (all.stopped === all.succeeded) return 'Succeeded';
  return isSettled || policy === 'Never' ? 'Failed' : 'Running';
}

/** It runs, or ran. */
export function hasStarted({ state, lastState }: ContainerStatus): boolean {
  return (
    state?.running !== undefined ||
    state?.terminated !== undefined ||
    lastState?.terminated !== undefined
  );
}

function countInit(pod: Pod, statuses: readonly ContainerStatus[]) {
  const count = {
    pending: 0,
    failed: 0,
    pendingSidecars: 0,
    running: 0,
    runningOnce: 0,
    waiting: 0,
  };
  for (const container of pod.spec.initContainers ?? []) {
    const status = statuses.find(({ name }) => name === container.name);
    const isRunning = status?.state?.running !== undefined;
    const hasEnded = (status?.state?.terminated ?? waitingAfter(status)) !== undefined;
    if (isSidecar(container)) {
      count.running += Number(isRunning);
      count.waiting += Number(!isRunning && !hasEnded);
      count.pendingSidecars += Number(status?.started !== true && !hasEnded);
    } else {
      count.runningOnce += Number(isRunning);
      count.pending += Number(!hasEnded);
      count.failed += Number(hasEnded && !succeeded(status));
    }
  }
  return count;
}

function succeeded(status: ContainerStatus | undefined): boolean {
  return (status?.state?.terminated ?? waitingAfter(status))?.exitCode === 0;
}

function countMain(
  statuses: readonly ContainerStatus[],
  init: { running: number; waiting: number },
) {
  const count = { running: init.running, waiting: init.waiting, stopped: 0, succeeded: 0 };
  for (const status of statuses) {
    const { state } = status;
    if (state?.running !== undefined) count.running++;
    else if (state?.terminated !== undefined) {
      count.stopped++;
      if (state.terminated.exitCode === 0) count.succeeded++;
    } else if (waitingAfter(status) !== undefined) count.stopped++;
    else count.waiting++;
  }
  return count;
}

/** How a container that waits for its restart ended. */
function waitingAfter(status: ContainerStatus | undefined) {
  return status?.state?.waiting === undefined ? undefined : status.lastState?.terminated;
}
