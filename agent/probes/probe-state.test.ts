import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterOutcome,
  newProbeState,
  nextProbeInMs,
  type ProbeKind,
  type ProbeOutcome,
} from './probe-state.ts';

const kinds = fc.constantFrom<ProbeKind>('startup', 'readiness', 'liveness');
const outcomes = fc.array(fc.constantFrom<ProbeOutcome>('success', 'failure', 'error'));
const specs = fc.record({
  successThreshold: fc.integer({ min: 1, max: 5 }),
  failureThreshold: fc.integer({ min: 1, max: 5 }),
  initialDelaySeconds: fc.nat(60),
  periodSeconds: fc.integer({ min: 1, max: 60 }),
});

describe('the verdict of a probe', () => {
  it('is the last outcome that came as often in a row as its threshold', () => {
    fc.assert(
      fc.property(specs, outcomes, (spec, all) => {
        const state = all.reduce(
          (now, outcome) => afterOutcome('readiness', spec, now, outcome),
          newProbeState('readiness'),
        );
        expect(state.verdict).toBe(slowVerdict(spec, all));
      }),
    );
  });

  it('of startup stands once it is made, and of liveness once it is failure', () => {
    fc.assert(
      fc.property(kinds, specs, outcomes, outcomes, (kind, spec, before, after) => {
        const fold = (start: ReturnType<typeof newProbeState>, some: ProbeOutcome[]) =>
          some.reduce((now, outcome) => afterOutcome(kind, spec, now, outcome), start);
        const state = fold(newProbeState(kind), before);
        const isMade =
          (kind === 'startup' && state.verdict !== 'unknown') ||
          (kind === 'liveness' && state.verdict === 'failure');
        expect(state.isOver).toBe(isMade);
        if (isMade) expect(fold(state, after)).toEqual(state);
      }),
    );
  });

  it('before any probe is alive, not ready, and not started', () => {
    expect(newProbeState('liveness').verdict).toBe('success');
    expect(newProbeState('readiness').verdict).toBe('failure');
    expect(newProbeState('startup').verdict).toBe('unknown');
  });

  it('that is known from before stands until a threshold is reached', () => {
    const spec = { failureThreshold: 2 };
    let state = newProbeState('readiness', 'success');
    state = afterOutcome('readiness', spec, state, 'failure');
    expect(state.verdict).toBe('success');
    expect(afterOutcome('readiness', spec, state, 'failure').verdict).toBe('failure');
  });
});

describe('the next probe', () => {
  it('is never before the initial delay, nor sooner than a period after the last', () => {
    const times = fc.record({
      startedMs: fc.nat(100_000),
      lastMs: fc.option(fc.nat(200_000), { nil: undefined }),
      notBeforeMs: fc.nat(200_000),
    });
    fc.assert(
      fc.property(kinds, specs, fc.boolean(), times, (kind, spec, hasStarted, at) => {
        const nowMs = 200_000;
        const inMs = nextProbeInMs(kind, spec, newProbeState(kind), hasStarted, at, nowMs);
        if (hasStarted === (kind === 'startup')) {
          expect(inMs).toBeUndefined();
          return;
        }
        const dueMs = nowMs + (inMs ?? -1);
        expect(inMs).toBeGreaterThanOrEqual(0);
        expect(dueMs).toBeGreaterThanOrEqual(at.notBeforeMs);
        if (at.lastMs !== undefined) {
          expect(dueMs).toBeGreaterThanOrEqual(at.lastMs + spec.periodSeconds * 1000);
        } else {
          expect(dueMs).toBeGreaterThanOrEqual(at.startedMs + spec.initialDelaySeconds * 1000);
        }
      }),
    );
  });

  it('is none once there is nothing left to say', () => {
    const state = { ...newProbeState('liveness'), verdict: 'failure' as const, isOver: true };
    const at = { startedMs: 0, lastMs: 0, notBeforeMs: 0 };
    expect(nextProbeInMs('liveness', {}, state, true, at, 5)).toBeUndefined();
  });
});

/** The same, told from the end of the list. */
function slowVerdict(
  spec: { successThreshold: number; failureThreshold: number },
  all: readonly ProbeOutcome[],
): string {
  const said = all.filter((outcome) => outcome !== 'error');
  for (let end = said.length; end > 0; end--) {
    const last = said[end - 1];
    const need = last === 'success' ? spec.successThreshold : spec.failureThreshold;
    const row = said.slice(Math.max(0, end - need), end);
    if (row.length === need && row.every((one) => one === last)) return last ?? '';
  }
  return 'failure';
}
