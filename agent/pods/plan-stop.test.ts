import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
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

describe('the end of a pod with sidecars', () => {
  it('begins every hook at once, and signals the sidecars last, in reverse order', () => {
    const sidecar = fc.record({ hasHook: fc.boolean(), takesMs: fc.integer({ min: 0, max: 500 }) });
    fc.assert(
      fc.property(fc.array(sidecar, { maxLength: 4 }), fc.nat(500), (sidecars, mainTakesMs) => {
        const { begun, signalled } = endOfPod(sidecars, mainTakesMs);
        const names = sidecars.map((_, index) => `side-${index}`);
        const hooked = names.filter((_, index) => sidecars[index]?.hasHook);
        for (const name of ['main', ...hooked]) expect(begun.get(name)).toBe(0);
        expect([...signalled.keys()]).toEqual(['main', ...names.reverse()]);
      }),
    );
  });
});

/** Every container ends so long after its signal, every hook at once. When each was asked to end, and signalled, in that order. */
function endOfPod(sidecars: { hasHook: boolean; takesMs: number }[], mainTakesMs: number) {
  const lifecycle = { preStop: { sleep: { seconds: 0 } } };
  const initContainers = sidecars.map(({ hasHook }, index) => ({
    name: `side-${index}`,
    restartPolicy: 'Always',
    ...(hasHook && { lifecycle }),
  }));
  const pod = { spec: { initContainers, containers: [{ name: 'main' }] } } as unknown as Pod;
  const takesMs = new Map([['main', mainTakesMs]]);
  for (const [index, one] of sidecars.entries()) takesMs.set(`side-${index}`, one.takesMs);
  const stopping = new Map<string, Stopping>();
  const begun = new Map<string, number>();
  const signalled = new Map<string, number>();
  for (let nowMs = 0; nowMs < 10_000; ) {
    const running = [...takesMs.keys()]
      .filter((name) => nowMs < (signalled.get(name) ?? Infinity) + (takesMs.get(name) ?? 0))
      .map((name) => ({ id: name, container: name }) as ObservedContainer);
    const { actions, lookAgainAfterMs } = planStop(pod, running, stopping, 30_000, nowMs);
    if (lookAgainAfterMs === undefined) break;
    for (const action of actions) {
      if (action.kind !== 'terminate' && action.kind !== 'signalStop') throw new Error(action.kind);
      const { id } = action;
      const hasHook = initContainers.some(({ name, lifecycle }) => name === id && lifecycle);
      begun.set(id, begun.get(id) ?? nowMs);
      const sinceMs = begun.get(id) ?? nowMs;
      if (action.kind === 'terminate' && hasHook) stopping.set(id, { sinceMs, preStop: 'over' });
      else {
        stopping.set(id, { sinceMs, preStop: 'over', signalledMs: nowMs });
        signalled.set(id, nowMs);
      }
    }
    if (actions.length === 0) nowMs++;
  }
  return { begun, signalled };
}
