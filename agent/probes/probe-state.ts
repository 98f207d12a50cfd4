import type { Probe } from '../../shared/schema/kubernetes-types.ts';

export type ProbeKind = 'startup' | 'readiness' | 'liveness';
/** `error`: the probe could not be made, which says nothing of the container. */
export type ProbeOutcome = 'success' | 'failure' | 'error';

/** What one probe of one run of a container has come to. */
export interface ProbeState {
  /** What counts: changed only when a threshold is reached. */
  verdict: 'success' | 'failure' | 'unknown';
  last: 'success' | 'failure' | undefined;
  /** How often `last` came in a row. */
  inARow: number;
  /** It has said all that it will say of this run. */
  isOver: boolean;
}

/** Before anything was probed a container is alive, not ready, and nobody knows whether it has started; `known` is from an earlier life of the agent. */
export function newProbeState(kind: ProbeKind, known?: 'success' | 'failure'): ProbeState {
  const first = { startup: 'unknown', readiness: 'failure', liveness: 'success' } as const;
  const verdict = known ?? first[kind];
  const isOver = kind === 'startup' && verdict === 'success';
  return { verdict, last: undefined, inARow: 0, isOver };
}

/** The state after one more outcome. Startup ends with its verdict, liveness with its failure: the container starts anew then. */
export function afterOutcome(
  kind: ProbeKind,
  { successThreshold = 1, failureThreshold = 3 }: Probe,
  state: ProbeState,
  outcome: ProbeOutcome,
): ProbeState {
  if (state.isOver || outcome === 'error') return state;
  const inARow = state.last === outcome ? state.inARow + 1 : 1;
  const counted = { ...state, last: outcome, inARow };
  if (inARow < (outcome === 'success' ? successThreshold : failureThreshold)) return counted;
  const isOver = kind === 'startup' || (kind === 'liveness' && outcome === 'failure');
  return { ...counted, verdict: outcome, isOver };
}

/** Of one run of a container, monotonic milliseconds. */
export interface ProbeTimes {
  startedMs: number;
  /** When the last probe began. */
  lastMs: number | undefined;
  /** Not before this: set when startup has just succeeded, or to spread what an agent finds at its own start. */
  notBeforeMs: number;
}

/**
 * Milliseconds until the next probe; undefined: none until something changes. Startup is probed until the container has started, the
 * others from then on; the first after the initial delay, the next a period after the one before began.
 */
export function nextProbeInMs(
  kind: ProbeKind,
  { initialDelaySeconds = 0, periodSeconds = 10 }: Probe,
  state: ProbeState,
  hasStarted: boolean,
  { startedMs, lastMs, notBeforeMs }: ProbeTimes,
  nowMs: number,
): number | undefined {
  if (state.isOver || hasStarted === (kind === 'startup')) return undefined;
  const firstMs = startedMs + initialDelaySeconds * 1000;
  const dueMs = lastMs === undefined ? firstMs : lastMs + periodSeconds * 1000;
  return Math.max(0, Math.max(dueMs, notBeforeMs) - nowMs);
}
