import { ENGINE_RULES } from './engine-rules.ts';
import type { MachineSurvey, PreflightAim } from './facts.ts';
import type { Finding, Rule } from './finding.ts';
import { MACHINE_RULES } from './machine-rules.ts';
import { NETWORK_RULES } from './network-rules.ts';
import { STORAGE_RULES } from './storage-rules.ts';
import { TIME_RULES } from './time-rules.ts';

/** Everything that is looked at, in the order in which it is shown. */
export const RULES: readonly Rule[] = [
  ...MACHINE_RULES,
  ...ENGINE_RULES,
  ...STORAGE_RULES,
  ...TIME_RULES,
  ...NETWORK_RULES,
];

/** What the rules for the machine's role say of it. */
export function judgeMachine(survey: MachineSurvey, aim: PreflightAim): Finding[] {
  return RULES.filter(({ roles }) => roles === 'all' || aim.role === 'both' || roles === aim.role)
    .map(({ id, judge }) => ({ id, verdict: judge(survey, aim) }))
    .flatMap(({ id, verdict }) => (verdict === undefined ? [] : [{ id, ...verdict }]));
}
