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
/** What a sidecar has at least when the main containers used up the grace, as the kubelet's minimum. */
const SIDECAR_GRACE_MS = 2_000;
/** What is left between signal and kill when a hook used up the grace, as with the kubelet. */
const GRACE_AFTER_HOOK_MS = 2_000;

/** How a container is asked to end, where it is not for its pod's end. */
export interface StopReason {
  message?: string;
  /** It is started again whatever the restart policy says. */
  replace?: boolean;
  graceMs?: number;
}

/**
 * Asks the running containers to end: main ones together, sidecars after them in reverse order, SIGKILL to what outlives its grace.
 * `lookAgainAfterMs` is when the next of them is due; undefined when nothing runs any more.
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
  for (const container of turn.containers) {
    const asked = stopping.get(container.id);
    const leftMs = startedMs + graceMs - (asked?.sinceMs ?? nowMs);
    const ownGraceMs = turn.areSidecars ? Math.max(SIDECAR_GRACE_MS, leftMs) : graceMs;
    const one = stopOne(container, asked, ownGraceMs, nowMs, how);
    if (one.action !== undefined) actions.push(one.action);
    nextMs = Math.min(nextMs, one.lookAgainAfterMs);
  }
  return Number.isFinite(nextMs) ? { actions, lookAgainAfterMs: nextMs } : { actions };
}

function stopOne(
  { id, container }: ObservedContainer,
  asked: Stopping | undefined,
  graceMs: number,
  nowMs: number,
  how: StopReason,
): { action?: PodAction; lookAgainAfterMs: number } {
  const isHookInterrupted =
    asked?.signalledMs === undefined &&
    asked?.killedAtMs === undefined &&
    asked?.preStop === undefined;
  if (asked === undefined || isHookInterrupted) {
    const message = how.message ?? `Stopping container ${container}`;
    const replace = how.replace ?? false;
    return {
      action: { kind: 'terminate', id, container, message, replace, graceMs: how.graceMs },
      lookAgainAfterMs: graceMs,
    };
  }
  if (asked.killedAtMs === undefined) {
    const endMs = asked.sinceMs + graceMs;
    if (asked.signalledMs === undefined) {
      const leftMs = endMs - nowMs;
      if (asked.preStop === 'running' && leftMs > 0) return { lookAgainAfterMs: leftMs };
      return { action: { kind: 'signalStop', id, container }, lookAgainAfterMs: 0 };
    }
    const hadHook = asked.signalledMs > asked.sinceMs;
    const minimumMs = hadHook ? asked.signalledMs + GRACE_AFTER_HOOK_MS : endMs;
    const leftMs = Math.max(endMs, minimumMs) - nowMs;
    if (leftMs > 0) return { lookAgainAfterMs: leftMs };
    return { action: { kind: 'kill', id, container }, lookAgainAfterMs: KILL_PATIENCE_MS };
  }
  const leftMs = asked.killedAtMs + KILL_PATIENCE_MS - nowMs;
  if (leftMs > 0) return { lookAgainAfterMs: leftMs };
  return {
    action: { kind: 'removeContainer', id, container, log: undefined },
    lookAgainAfterMs: 0,
  };
}

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
