import type { Sandbox } from './collaborators.ts';
import type { ObservedPod, Problem, Waiting } from './observed-pod.ts';
import type { PullFailure } from './plan-image.ts';
import type { Stopping } from './plan-stop.ts';
import type { PodRecord } from './pod-record.ts';

/** How a pull for this pod went; `pulled` until a container was started with it. */
export type Pull =
  | { state: 'pulling'; failedBefore: PullFailure | undefined }
  | { state: 'pulled' }
  | { state: 'failed'; failure: PullFailure };

/** What the agent holds of one pod while it runs; what must outlive it is in the record. */
export interface PodMemory {
  readonly uid: string;
  record: PodRecord;
  sandboxState: ObservedPod['sandbox'] | 'unknown';
  sandbox: Sandbox | undefined;
  volumes: ReadonlyMap<string, string> | undefined;
  setUpProblem: Problem | undefined;
  setUpFailures: number;
  volumesStale: boolean;
  tornDown: boolean;
  /** By container name. */
  readonly problems: Map<string, Problem>;
  /** By image, as the pod names it. */
  readonly pulls: Map<string, Pull>;
  /** By container id. */
  readonly stopping: Map<string, Stopping>;
  /** Ids of the containers that this life of the agent started. */
  readonly startedHere: Set<string>;
  /** Hooks that run, by container id. */
  readonly postStart: Map<string, AbortController>;
  readonly preStop: Map<string, AbortController>;
  /** Containers whose postStart hook failed. */
  readonly postStartFailed: Set<string>;
  readonly messages: Map<string, string>;
  readonly startErrors: Map<string, string>;
  waiting: ReadonlyMap<string, Waiting>;
  /** The last record on disk and the last report, as text. */
  saved: string | undefined;
  reported: string | undefined;
  isPublishing: boolean;
  publishing: Promise<void> | undefined;
}

export function newPodMemory(uid: string, record: PodRecord): PodMemory {
  return {
    uid,
    record,
    sandboxState: 'unknown',
    sandbox: undefined,
    volumes: undefined,
    setUpProblem: undefined,
    setUpFailures: 0,
    volumesStale: false,
    tornDown: false,
    problems: new Map(),
    pulls: new Map(),
    stopping: stoppingOf(record),
    startedHere: new Set(),
    postStart: new Map(),
    preStop: new Map(),
    postStartFailed: new Set(),
    messages: new Map(),
    startErrors: new Map(),
    waiting: new Map(),
    saved: undefined,
    reported: undefined,
    isPublishing: false,
    publishing: undefined,
  };
}

/** What was asked to end before the agent was restarted. */
function stoppingOf(record: PodRecord): Map<string, Stopping> {
  const runs = Object.values(record.containers).flatMap(({ run }) => run ?? []);
  return new Map(runs.flatMap(({ id, stop, ended }) => (stop && !ended ? [[id, stop]] : [])));
}

/** A document that the pod uses has changed: what failed for want of it is tried again. */
export function clearProblems(memory: PodMemory): void {
  memory.setUpProblem = undefined;
  memory.problems.clear();
  memory.volumesStale = memory.sandboxState === 'ready';
}
