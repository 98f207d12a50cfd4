import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import type { ObservedContainer } from './container-labels.ts';
import type { ImageView } from './plan-image.ts';
import type { Stopping } from './plan-stop.ts';
import type { PodRecord } from './pod-record.ts';

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

/** Milliseconds until the problem may be tried again; 0: now; undefined: only after a change. */
export function waitOf(problem: Problem | undefined, nowMs: number): number | undefined {
  if (problem === undefined) return 0;
  return problem.retryAtMs === undefined ? undefined : Math.max(0, problem.retryAtMs - nowMs);
}

export function runningOf(observed: ObservedPod): ObservedContainer[] {
  return observed.containers.filter(({ state }) => state === 'running');
}

/** Milliseconds that the pod's containers have to end. */
export function graceOf(pod: Pod): number {
  return Math.max(1_000, (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000);
}
