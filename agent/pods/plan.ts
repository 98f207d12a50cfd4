import { allContainers } from '../../shared/resources/pod-containers.ts';
import { isSidecar } from '../../shared/resources/pod-resources.ts';
import type { Container, Pod } from '../../shared/schema/kubernetes-types.ts';
import { backoffLeftMs, goDuration, KUBELET_BACKOFF, nextBackoff } from './backoff.ts';
import type { ObservedContainer } from './container-labels.ts';
import { type ImageView, planImage } from './plan-image.ts';
import { planStop, type Stopping, type StopReason } from './plan-stop.ts';
import type { PodAction } from './pod-actions.ts';
import type { ContainerRecord, PodRecord, RunRecord } from './pod-record.ts';
import { restartsMain, retriesInit } from './restart-policy.ts';

/** Why a container does not run, as `kubectl get pods` shows it. */
export interface Waiting {
  reason: string;
  message?: string;
}

/** Something that did not work; without `retryAtMs` only a change of the pod's documents helps. */
export interface Problem extends Waiting {
  retryAtMs?: number;
}

/** What there is of one pod. Times are on the agent's steady axis, never ahead of `nowMs`. */
export interface ObservedPod {
  containers: readonly ObservedContainer[];
  /** With `containers` folded in. */
  record: PodRecord;
  /** `found`: there, but not set up by this process yet; `lost`: the pod had one and it is gone. */
  sandbox: 'none' | 'found' | 'ready' | 'lost';
  setUpProblem: Problem | undefined;
  /** A document that its volumes show has changed. */
  volumesStale: boolean;
  /** Every hook was undone since the last set-up. */
  tornDown: boolean;
  images(image: string): ImageView;
  /** By container name. */
  problems: ReadonlyMap<string, Problem>;
  /** By container id. */
  stopping: ReadonlyMap<string, Stopping>;
  /** Containers that have to be killed, by their id. */
  failures: ReadonlyMap<string, Failure>;
  /** Ids of containers whose postStart hook runs: nothing else is started meanwhile. */
  inPostStart: ReadonlySet<string>;
  /** Of a running container, by name: it has passed its startup probe. */
  isStarted(container: string): boolean;
}

/** Why a running container is no good. */
export interface Failure {
  of: 'liveness' | 'startup' | 'postStart';
  graceMs?: number;
}

export interface PodPlan {
  /** To be done now, together. Empty: nothing to do until something changes or `lookAgainAfterMs` is over. */
  actions: PodAction[];
  lookAgainAfterMs?: number;
  /** By container name, for those that are to run and do not. */
  waiting: ReadonlyMap<string, Waiting>;
  /** No container of the pod will be started again. */
  finished: boolean;
}

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
  const plan = new ContainersPlan(pod, observed, nowMs).make();
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

/** Init containers in order, then the main ones; one start at a time, so that a small device is not overrun. */
class ContainersPlan {
  readonly #pod: Pod;
  readonly #observed: ObservedPod;
  readonly #nowMs: number;
  readonly #running: ReadonlySet<string>;
  readonly #actions: PodAction[] = [];
  readonly #waiting = new Map<string, Waiting>();
  #lookAgainAfterMs: number | undefined;
  #isStarting = false;
  #isFinished = false;

  constructor(pod: Pod, observed: ObservedPod, nowMs: number) {
    this.#pod = pod;
    this.#observed = observed;
    this.#nowMs = nowMs;
    this.#running = new Set(runningOf(observed).map(({ id }) => id));
    this.#isStarting = observed.inPostStart.size > 0;
  }

  make(): PodPlan {
    if (this.#planInit()) this.#planMain();
    return {
      actions: this.#actions,
      waiting: this.#waiting,
      finished: this.#isFinished,
      ...(this.#lookAgainAfterMs === undefined ? {} : { lookAgainAfterMs: this.#lookAgainAfterMs }),
    };
  }

  /** Whether the main containers may run. */
  #planInit(): boolean {
    const init = this.#pod.spec.initContainers ?? [];
    const hasBegun = this.#pod.spec.containers.some(({ name }) => this.#run(name) !== undefined);
    for (const container of init) {
      const run = this.#run(container.name);
      if (isSidecar(container)) {
        const isUp = this.#keepRunning(container, run) && this.#observed.isStarted(container.name);
        if (!isUp && !hasBegun) return false;
        continue;
      }
      if (hasBegun) continue;
      if (run === undefined) {
        this.#start(container, run);
        return false;
      }
      if (run.ended === undefined) return false;
      if (run.ended.exitCode === 0) continue;
      if (retriesInit(this.#pod)) this.#start(container, run);
      else this.#finish();
      return false;
    }
    return true;
  }

  #planMain(): void {
    const { containers } = this.#pod.spec;
    const over = containers.filter((container) => {
      const run = this.#run(container.name);
      const ended = run?.ended;
      return (
        ended !== undefined && run?.replaced !== true && !restartsMain(this.#pod, ended.exitCode)
      );
    });
    if (over.length === containers.length) {
      this.#finish();
      return;
    }
    for (const container of containers) {
      if (!over.includes(container)) this.#keepRunning(container, this.#run(container.name));
    }
  }

  #finish(): void {
    const sidecars = runningOf(this.#observed);
    const stop = planStop(
      this.#pod,
      sidecars,
      this.#observed.stopping,
      graceOf(this.#pod),
      this.#nowMs,
    );
    // What was planned for sidecars on the way here no longer counts.
    this.#actions.splice(0, this.#actions.length, ...stop.actions);
    if (stop.lookAgainAfterMs === undefined && !this.#observed.tornDown) {
      this.#actions.push({ kind: 'tearDown' });
    }
    this.#waiting.clear();
    this.#lookAgainAfterMs = stop.lookAgainAfterMs;
    this.#isFinished = true;
  }

  /** Whether it runs and shall go on. */
  #keepRunning(container: Container, run: RunRecord | undefined): boolean {
    if (run === undefined || run.ended !== undefined) {
      this.#start(container, run);
      return false;
    }
    const reason = this.#reasonToStop(container, run);
    if (reason === undefined) return true;
    const live = this.#observed.containers.filter(
      ({ id }) => id === run.id && this.#running.has(id),
    );
    const stop = planStop(
      undefined,
      live,
      this.#observed.stopping,
      reason.graceMs ?? graceOf(this.#pod),
      this.#nowMs,
      reason,
    );
    this.#actions.push(...stop.actions);
    this.#lookAgain(stop.lookAgainAfterMs);
    return false;
  }

  #reasonToStop({ name, image }: Container, run: RunRecord): StopReason | undefined {
    if (run.specImage !== image) {
      const message = `Container ${name} definition changed, will be restarted`;
      return { message, replace: true };
    }
    const failure = this.#observed.failures.get(run.id);
    const begun = this.#observed.stopping.get(run.id);
    // Begun before the agent was restarted, which forgot why: what was begun is brought to its end.
    if (failure === undefined)
      return begun && { ...graceIn(begun), replace: run.replaced === true };
    if (failure.of === 'postStart') return { message: 'FailedPostStartHook' };
    const replace = (this.#pod.spec.restartPolicy ?? 'Always') !== 'Never';
    const message = `Container ${name} failed ${failure.of} probe`;
    const next = replace ? ', will be restarted' : '';
    return { ...graceIn(failure), message: `${message}${next}`, replace };
  }

  #start(container: Container, run: RunRecord | undefined): void {
    const record = this.#observed.record.containers[container.name];
    const held = this.#heldBack(container, record, run);
    if (held !== undefined) {
      this.#waiting.set(container.name, held.waiting);
      this.#lookAgain(held.leftMs);
      return;
    }
    const image = planImage(container, this.#observed.images(container.image ?? ''), this.#nowMs);
    if (image.waiting !== undefined) this.#waiting.set(container.name, image.waiting);
    if (image.action !== undefined) this.#actions.push(image.action);
    this.#lookAgain(image.leftMs);
    if (!image.isReady || this.#isStarting) return;
    this.#isStarting = true;
    this.#actions.push({
      kind: 'startContainer',
      container: container.name,
      attempt: nextAttempt(record),
      alreadyPresent: image.alreadyPresent,
      backoff: run === undefined ? undefined : this.#nextBackoff(container, record, run),
    });
  }

  /** In its backoff, or stopped by a problem. */
  #heldBack(
    container: Container,
    record: ContainerRecord | undefined,
    run: RunRecord | undefined,
  ): { waiting: Waiting; leftMs: number | undefined } | undefined {
    if (run?.endedAtMs !== undefined) {
      const leftMs = backoffLeftMs(backoffOf(record, container), run.endedAtMs, this.#nowMs);
      if (leftMs > 0) return { waiting: crashLoop(this.#pod, container, record), leftMs };
    }
    const problem = this.#observed.problems.get(container.name);
    const leftMs = waitOf(problem, this.#nowMs);
    if (problem === undefined || leftMs === 0) return undefined;
    return { waiting: waitingOf(problem), leftMs };
  }

  #nextBackoff(container: Container, record: ContainerRecord | undefined, run: RunRecord) {
    const entry = backoffOf(record, container);
    const next = nextBackoff(entry, run.endedAtMs ?? this.#nowMs, this.#nowMs, KUBELET_BACKOFF);
    return { ...next, specImage: container.image ?? '' };
  }

  /** The container's run in the present sandbox. */
  #run(name: string): RunRecord | undefined {
    const run = this.#observed.record.containers[name]?.run;
    return run?.sandbox === this.#observed.record.sandbox ? run : undefined;
  }

  #lookAgain(afterMs: number | undefined): void {
    if (afterMs === undefined) return;
    this.#lookAgainAfterMs = Math.min(afterMs, this.#lookAgainAfterMs ?? afterMs);
  }
}

function graceIn({ graceMs }: { graceMs?: number }): { graceMs?: number } {
  return graceMs === undefined ? {} : { graceMs };
}

function crashLoop(pod: Pod, container: Container, record: ContainerRecord | undefined): Waiting {
  const delay = goDuration(record?.backoff?.delayMs ?? 0);
  return {
    reason: 'CrashLoopBackOff',
    message: `back-off ${delay} restarting failed container=${container.name} pod=${podLabel(pod)}`,
  };
}

/** `name_namespace(uid)`, as messages name a pod. */
export function podLabel(pod: Pod): string {
  return `${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid})`;
}

function backoffOf(record: ContainerRecord | undefined, container: Container) {
  const entry = record?.backoff;
  return entry?.specImage === container.image ? entry : undefined;
}

function nextAttempt(record: ContainerRecord | undefined): number {
  return record?.run === undefined ? 0 : record.run.attempt + 1;
}

/** Milliseconds until the problem may be tried again; 0: now; undefined: only after a change. */
function waitOf(problem: Problem | undefined, nowMs: number): number | undefined {
  if (problem === undefined) return 0;
  return problem.retryAtMs === undefined ? undefined : Math.max(0, problem.retryAtMs - nowMs);
}

function waitingOf({ reason, message }: Problem): Waiting {
  return message === undefined ? { reason } : { reason, message };
}

function isOver(record: PodRecord): boolean {
  const phase = record.status?.phase;
  return record.failed !== undefined || phase === 'Succeeded' || phase === 'Failed';
}

function runningOf(observed: ObservedPod): ObservedContainer[] {
  return observed.containers.filter(({ state }) => state === 'running');
}

function graceOf(pod: Pod): number {
  return Math.max(1_000, (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000);
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
