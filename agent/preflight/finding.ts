import type { MachineSurvey, PreflightAim } from './facts.ts';

export type Severity = 'ok' | 'warning' | 'error';

/** One thing that was looked at. `why` and `remedy` are there when it is not ok. */
export interface Finding {
  /** Stable, for scripts: `memory-controller`. */
  id: string;
  severity: Severity;
  /** What was found. */
  found: string;
  /** Why that matters. */
  why?: string;
  /** What to do. */
  remedy?: string;
  /** `skerry check --fix` does it. */
  fixable?: true;
}

export type Verdict = Omit<Finding, 'id'>;

/** One row: what is looked at, on which machines, and what it means. Undefined: nothing to say on this machine. */
export interface Rule {
  id: string;
  roles: 'all' | 'master' | 'agent';
  judge(survey: MachineSurvey, aim: PreflightAim): Verdict | undefined;
}

export function ok(found: string): Verdict {
  return { severity: 'ok', found };
}

export function warning(found: string, why: string, remedy: string): Verdict {
  return { severity: 'warning', found, why, remedy };
}

export function failure(found: string, why: string, remedy: string): Verdict {
  return { severity: 'error', found, why, remedy };
}
