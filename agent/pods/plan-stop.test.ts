import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ObservedContainer } from './container-labels.ts';
import { planStop, type Stopping } from './plan-stop.ts';

const CONTAINER = { id: 'id', container: 'web' } as ObservedContainer;

/** The end of one deaf container whose hook takes `hookMs`, step by step as the plan says. */
function end(graceMs: number, hookMs: number | undefined, restartAtMs: number | undefined) {
  let stopping: Stopping | undefined;
  let hookEndsMs = Number.POSITIVE_INFINITY;
  const done: Record<string, number> = {};
  let hasRestarted = false;
  for (let nowMs = 0, step = 0; step < 50; step++) {
    if (restartAtMs !== undefined && nowMs >= restartAtMs && !hasRestarted) {
      hasRestarted = true;
      if (stopping !== undefined) {
        const { preStop: _, ...saved } = stopping;
        stopping = saved;
      }
    }
    if (stopping?.preStop === 'running' && nowMs >= hookEndsMs) {
      stopping = { ...stopping, preStop: 'over' };
    }
    const plan = planStop(
      undefined,
      [CONTAINER],
      new Map(stopping && [['id', stopping]]),
      graceMs,
      nowMs,
    );
    const kind = plan.actions[0]?.kind;
    if (kind === undefined) {
      const waitMs = plan.lookAgainAfterMs ?? 0;
      const events = [
        nowMs + waitMs,
        hookEndsMs,
        hasRestarted ? Infinity : (restartAtMs ?? Infinity),
      ];
      nowMs = Math.min(...events.filter((atMs) => atMs > nowMs));
      continue;
    }
    done[kind] ??= nowMs;
    if (kind === 'kill') return done;
    const sinceMs = stopping?.sinceMs ?? nowMs;
    if (kind === 'signalStop' || hookMs === undefined) stopping = { sinceMs, signalledMs: nowMs };
    else {
      stopping = { sinceMs, preStop: 'running' };
      hookEndsMs = nowMs + hookMs;
    }
  }
  return done;
}

const ms = fc.integer({ min: 1, max: 60_000 });

describe('the end of a container that does not listen', () => {
  it('is its kill at the end of the grace, and not before two seconds after its signal', () => {
    const restart = fc.option(ms, { nil: undefined });
    fc.assert(
      fc.property(ms, fc.option(ms, { nil: undefined }), restart, (graceMs, hookMs, restartMs) => {
        const done = end(graceMs, hookMs, restartMs);
        const signalMs = done['signalStop'] ?? 0;
        expect(done['terminate']).toBe(0);
        expect(signalMs).toBeLessThanOrEqual(graceMs);
        if (hookMs !== undefined)
          expect(signalMs).toBeGreaterThanOrEqual(Math.min(hookMs, graceMs));
        expect(done['kill']).toBe(Math.max(graceMs, signalMs + 2_000));
      }),
    );
  });
});
