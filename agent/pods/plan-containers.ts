import { isSidecar } from '../../shared/resources/pod-resources.ts';
import type { Container, Pod } from '../../shared/schema/kubernetes-types.ts';
import { backoffLeftMs, goDuration, KUBELET_BACKOFF, nextBackoff } from './backoff.ts';
import {
  graceOf,
  type ObservedPod,
  type Problem,
  runningOf,
  type Waiting,
  waitOf,
} from './observed-pod.ts';
import { planImage } from './plan-image.ts';
import { planStop, type StopReason } from './plan-stop.ts';
import type { PodAction, PodPlan } from './pod-actions.ts';
import { podLabel } from './pod-label.ts';
import type { ContainerRecord, RunRecord } from './pod-record.ts';
import { restartsMain, retriesInit } from './restart-policy.ts';

/** Init containers in order, then the main ones; one start at a time, so that a small device is not overrun. Pure. */
export function planContainers(pod: Pod, observed: ObservedPod, nowMs: number): PodPlan {
  return new ContainersPlan(pod, observed, nowMs).make();
}

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

function backoffOf(record: ContainerRecord | undefined, container: Container) {
  const entry = record?.backoff;
  return entry?.specImage === container.image ? entry : undefined;
}

function nextAttempt(record: ContainerRecord | undefined): number {
  return record?.run === undefined ? 0 : record.run.attempt + 1;
}

function waitingOf({ reason, message }: Problem): Waiting {
  return message === undefined ? { reason } : { reason, message };
}
