import type { MachineSurvey, PreflightAim } from './facts.ts';
import { failure, ok, type Rule, type Verdict, warning } from './finding.ts';

/** Certificates begin a little in the past; a clock may be wrong by less than this. */
const TOLERATED_MS = 5 * 60_000;
const KEEP_TIME = 'timedatectl set-ntp true (apt-get install systemd-timesyncd), and wait a minute';

/** The clock: boards without a battery wake up in the past. */
export const TIME_RULES: readonly Rule[] = [{ id: 'time', roles: 'all', judge: time }];

function time(survey: MachineSurvey, { releasedMs }: PreflightAim): Verdict {
  const { nowMs, synchronised } = survey.time;
  const now = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
  if (nowMs < releasedMs) {
    return failure(
      `the clock shows ${now}, which is before this release was made`,
      'certificates that are made at that time have ended when the clock is right: nobody can connect then',
      `set it: ${KEEP_TIME}; without a network: date -s "YYYY-MM-DD HH:MM"`,
    );
  }
  const answer = survey.server?.answer;
  const serverMs = answer !== undefined && 'dateMs' in answer ? answer.dateMs : undefined;
  if (serverMs !== undefined && Math.abs(serverMs - nowMs) > TOLERATED_MS) {
    return failure(
      `the clock shows ${now}, the master's ${new Date(serverMs).toISOString().replace(/\.\d+Z$/, 'Z')}`,
      'a certificate that is valid on one of them is not on the other',
      `keep the time on both: ${KEEP_TIME}`,
    );
  }
  if (synchronised === false) {
    return warning(
      `the clock shows ${now} and is not synchronised`,
      'a clock that runs away makes certificates invalid, and logs hard to compare',
      KEEP_TIME,
    );
  }
  return ok(synchronised === true ? `${now}, synchronised` : now);
}
