import { containerNamed } from '../../shared/resources/pod-containers.ts';
import { isSidecar } from '../../shared/resources/pod-resources.ts';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import type { ObservedContainer } from './container-labels.ts';
import type { PodAction } from './pod-actions.ts';

/** A container that was asked to end; times on the agent's steady axis. */
export interface Stopping {
  sinceMs: number;
  /** A preStop hook runs before the signal; absent after a restart of the agent, when it has to be run on. */
  preStop?: 'running' | 'over';
  signalledMs?: number;
  killedAtMs?: number;
  /** Its own grace, when that is not the pod's. */
  graceMs?: number;
}

/** Of the agent's life, not of the container's: not for the record. */
export function withoutHook({ preStop: _, ...stopping }: Stopping): Stopping {
  return stopping;
}

/** Killed and still shown as running: the engine removes it by force after this long. */
const KILL_PATIENCE_MS = 10_000;
/** What is left between signal and kill at least, whoever used up the grace: the kubelet's minimum. */
const LEAST_AFTER_SIGNAL_MS = 2_000;

/** How a container is asked to end, where it is not for its pod's end. */
export interface StopReason {
  message?: string;
  /** It is started again whatever the restart policy says. */
  replace?: boolean;
  graceMs?: number;
}

/**
 * Asks the running containers to end: main ones together, sidecars after them in reverse order (KEP-753), SIGKILL to what outlives its
 * grace. preStop hooks begin at once, those of sidecars too: only the signal waits for its turn. `lookAgainAfterMs` is when the next
 * of them is due; undefined when nothing runs any more.
 */
export function planStop(
  pod: Pod | undefined,
  running: readonly ObservedContainer[],
  stopping: ReadonlyMap<string, Stopping>,
  graceMs: number,
  nowMs: number,
  how: StopReason = {},
): { actions: PodAction[]; lookAgainAfterMs?: number } {
  const turn = stopTurn(pod, running);
  const startedMs = Math.min(nowMs, ...[...stopping.values()].map(({ sinceMs }) => sinceMs));
  const actions: PodAction[] = [];
  let nextMs = Number.POSITIVE_INFINITY;
  for (const container of running) {
    const asked = stopping.get(container.id);
    if (!turn.containers.includes(container)) {
      if (mayBegin(asked) && hasPreStop(pod, container)) actions.push(terminate(container, how));
      continue;
    }
    const sinceMs = turn.areSidecars ? startedMs : (asked?.sinceMs ?? nowMs);
    const one = stopOne(container, asked, sinceMs + graceMs, nowMs, how);
    if (one.action !== undefined) actions.push(one.action);
    nextMs = Math.min(nextMs, one.lookAgainAfterMs);
  }
  return Number.isFinite(nextMs) ? { actions, lookAgainAfterMs: nextMs } : { actions };
}

/** `endMs`: when its grace is over. */
function stopOne(
  container: ObservedContainer,
  asked: Stopping | undefined,
  endMs: number,
  nowMs: number,
  how: StopReason,
): { action?: PodAction; lookAgainAfterMs: number } {
  const { id, container: name } = container;
  if (asked === undefined || mayBegin(asked)) {
    return { action: terminate(container, how), lookAgainAfterMs: Math.max(0, endMs - nowMs) };
  }
  const { signalledMs, killedAtMs } = asked;
  if (killedAtMs !== undefined) {
    const leftMs = killedAtMs + KILL_PATIENCE_MS - nowMs;
    if (leftMs > 0) return { lookAgainAfterMs: leftMs };
    const log = undefined;
    return { action: { kind: 'removeContainer', id, container: name, log }, lookAgainAfterMs: 0 };
  }
  if (signalledMs === undefined) {
    const leftMs = endMs - nowMs;
    if (asked.preStop === 'running' && leftMs > 0) return { lookAgainAfterMs: leftMs };
    return { action: { kind: 'signalStop', id, container: name }, lookAgainAfterMs: 0 };
  }
  const leftMs = Math.max(endMs, signalledMs + LEAST_AFTER_SIGNAL_MS) - nowMs;
  if (leftMs > 0) return { lookAgainAfterMs: leftMs };
  return { action: { kind: 'kill', id, container: name }, lookAgainAfterMs: KILL_PATIENCE_MS };
}

/** Not asked yet, or its hook was interrupted by a restart of the agent. */
function mayBegin(asked: Stopping | undefined): boolean {
  return (
    asked?.signalledMs === undefined &&
    asked?.killedAtMs === undefined &&
    asked?.preStop === undefined
  );
}

function terminate(
  { id, container }: ObservedContainer,
  { message = `Stopping container ${container}`, replace = false, graceMs }: StopReason,
): PodAction {
  return { kind: 'terminate', id, container, message, replace, graceMs };
}

function hasPreStop(pod: Pod | undefined, { container }: ObservedContainer): boolean {
  return pod !== undefined && containerNamed(pod.spec, container)?.lifecycle?.preStop !== undefined;
}

/** Whose signals are due. */
function stopTurn(
  pod: Pod | undefined,
  running: readonly ObservedContainer[],
): { containers: readonly ObservedContainer[]; areSidecars: boolean } {
  const sidecars = (pod?.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  const others = running.filter(({ container }) => !sidecars.includes(container));
  if (others.length > 0) return { containers: others, areSidecars: false };
  const last = sidecars.findLast((name) => running.some(({ container }) => container === name));
  return { containers: running.filter(({ container }) => container === last), areSidecars: true };
}
