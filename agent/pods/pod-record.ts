import type { JsonObject } from '../../shared/meta/kube-object.ts';
import { formatTime } from '../../shared/meta/time.ts';
import type { ContainerStateTerminated, PodStatus } from '../../shared/schema/kubernetes-types.ts';
import type { BackoffEntry } from './backoff.ts';
import type { ObservedContainer } from './container-labels.ts';
import type { Stopping } from './plan-stop.ts';

/** One run of a container: its newest attempt, or the one before. Kept when the engine has forgotten it. */
export interface RunRecord {
  id: string;
  attempt: number;
  sandbox: number;
  specImage: string;
  image: string;
  imageId: string;
  startedAt?: string;
  ended?: ContainerStateTerminated;
  /** When its end was first seen; never in the future of the agent's own time. */
  endedAtMs?: number;
  /** It was stopped because the pod now names another image: start again whatever the restart policy says. */
  replaced?: boolean;
  /** It was asked to end, and how far that is. */
  stop?: Stopping;
}

export interface ContainerRecord {
  run?: RunRecord;
  previous?: RunRecord;
  /** Of restarts; holds for one image. */
  backoff?: BackoffEntry & { specImage: string };
}

/** What the agent remembers of one pod across its own restarts and the device's. */
export interface PodRecord {
  namespace: string;
  name: string;
  startTime: string;
  startedAtMs: number;
  /** How many sandboxes the pod has had. */
  sandbox: number;
  ip?: string;
  hostIp?: string;
  containers: Record<string, ContainerRecord>;
  /** The agent itself ended the pod: past its deadline. */
  failed?: { reason: string; message: string };
  /** Everything was removed and said to be: only the master's removal is outstanding. */
  gone?: boolean;
  status?: PodStatus;
}

export function newPodRecord(namespace: string, name: string, nowMs: number): PodRecord {
  return {
    namespace,
    name,
    startTime: formatTime(nowMs),
    startedAtMs: nowMs,
    sandbox: 0,
    containers: {},
  };
}

/** A record from disk; times from a clock that was ahead count as now, so that nothing waits longer than it should. */
export function readPodRecord(saved: JsonObject, nowMs: number): PodRecord {
  const record = structuredClone(saved) as unknown as PodRecord;
  record.startedAtMs = Math.min(record.startedAtMs, nowMs);
  for (const { run, backoff } of Object.values(record.containers)) {
    if (run?.endedAtMs !== undefined) run.endedAtMs = Math.min(run.endedAtMs, nowMs);
    if (run?.stop !== undefined) run.stop = notAhead(run.stop, nowMs);
    if (backoff !== undefined) backoff.updatedAtMs = Math.min(backoff.updatedAtMs, nowMs);
  }
  return record;
}

/** A container's status and the numbers of its last two runs; undefined when the pod has no such container, or no status yet. */
export function runsOfContainer({ status: pod, containers }: PodRecord, container: string) {
  const all = [...(pod?.containerStatuses ?? []), ...(pod?.initContainerStatuses ?? [])];
  const status = all.find(({ name }) => name === container);
  if (status === undefined) return undefined;
  const { run, previous } = containers[container] ?? {};
  return { status, attempt: run?.attempt, previousAttempt: previous?.attempt };
}

function notAhead(
  { sinceMs, signalledMs, killedAtMs, graceMs }: Stopping,
  nowMs: number,
): Stopping {
  return {
    sinceMs: Math.min(sinceMs, nowMs),
    ...(signalledMs === undefined ? {} : { signalledMs: Math.min(signalledMs, nowMs) }),
    ...(killedAtMs === undefined ? {} : { killedAtMs: Math.min(killedAtMs, nowMs) }),
    ...(graceMs === undefined ? {} : { graceMs }),
  };
}

/**
 * The record with what the engine shows now: new attempts, ends with their reasons, and runs that are there no more.
 * `messages` holds termination messages by container id; `startErrors` why a container never ran.
 */
export function foldObserved(
  record: PodRecord,
  observed: readonly ObservedContainer[],
  known: {
    messages: ReadonlyMap<string, string>;
    startErrors: ReadonlyMap<string, string>;
    scheme: string;
  },
  nowMs: number,
): PodRecord {
  const names = new Set([
    ...Object.keys(record.containers),
    ...observed.map(({ container }) => container),
  ]);
  const containers: Record<string, ContainerRecord> = {};
  for (const name of names) {
    const started = observed
      .filter(({ container, state }) => container === name && state !== 'created')
      .sort((a, b) => a.attempt - b.attempt);
    let folded = record.containers[name] ?? {};
    for (const live of started) folded = foldOne(folded, live, known, nowMs);
    const { run } = folded;
    if (run !== undefined && run.ended === undefined && !started.some(({ id }) => id === run.id)) {
      folded = { ...folded, run: { ...run, ended: vanished(run, known.scheme), endedAtMs: nowMs } };
    }
    containers[name] = folded;
  }
  const sandbox = Math.max(record.sandbox, ...observed.map((container) => container.sandbox));
  return { ...record, sandbox, containers };
}

function foldOne(
  record: ContainerRecord,
  live: ObservedContainer,
  known: Parameters<typeof foldObserved>[2],
  nowMs: number,
): ContainerRecord {
  const { run } = record;
  if (run !== undefined && live.attempt < run.attempt) {
    if (record.previous !== undefined || live.state === 'running') return record;
    return { ...record, previous: endRun(runOf(live), live, known, nowMs) };
  }
  const isSame = run?.id === live.id;
  if (isSame && run.ended !== undefined) return record;
  const current = isSame ? run : runOf(live);
  const next = live.state === 'running' ? current : endRun(current, live, known, nowMs);
  if (isSame) return next === run ? record : { ...record, run: next };
  return {
    ...record,
    ...(run === undefined ? {} : { previous: run }),
    run: next,
  };
}

function runOf(live: ObservedContainer): RunRecord {
  return {
    id: live.id,
    attempt: live.attempt,
    sandbox: live.sandbox,
    specImage: live.specImage,
    image: live.image,
    imageId: live.imageId,
    ...(live.startedAt === undefined ? {} : { startedAt: secondsOf(live.startedAt) }),
  };
}

function endRun(
  run: RunRecord,
  live: ObservedContainer,
  known: Parameters<typeof foldObserved>[2],
  nowMs: number,
): RunRecord {
  const finishedMs = live.finishedAt === undefined ? Number.NaN : Date.parse(live.finishedAt);
  const startError = known.startErrors.get(live.id);
  const message = startError ?? known.messages.get(live.id);
  const isLost = live.state === 'lost';
  return {
    ...run,
    ended: {
      containerID: `${known.scheme}://${live.id}`,
      exitCode: isLost ? UNKNOWN_EXIT_CODE : live.exitCode,
      reason: isLost ? 'Unknown' : endReason(live, startError !== undefined),
      ...(message === undefined || message === '' ? {} : { message }),
      ...(run.startedAt === undefined ? {} : { startedAt: run.startedAt }),
      finishedAt: formatTime(Number.isNaN(finishedMs) ? nowMs : finishedMs),
    },
    endedAtMs: Number.isNaN(finishedMs) ? nowMs : Math.min(finishedMs, nowMs),
  };
}

/** What ran when the power went: containerd's own code for an exit that nobody saw. */
const UNKNOWN_EXIT_CODE = 255;

function endReason(live: ObservedContainer, failedToStart: boolean): string {
  if (failedToStart) return 'StartError';
  if (live.oomKilled) return 'OOMKilled';
  return live.exitCode === 0 ? 'Completed' : 'Error';
}

function vanished(run: RunRecord, scheme: string): ContainerStateTerminated {
  return {
    containerID: `${scheme}://${run.id}`,
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
    ...(run.startedAt === undefined ? {} : { startedAt: run.startedAt }),
  };
}

function secondsOf(rfc3339: string): string {
  const ms = Date.parse(rfc3339);
  return Number.isNaN(ms) ? rfc3339 : formatTime(ms);
}

/** Succeeded or Failed, or told to be: nothing of the pod is started any more. */
export function isOver(record: PodRecord): boolean {
  const phase = record.status?.phase;
  return record.failed !== undefined || phase === 'Succeeded' || phase === 'Failed';
}
