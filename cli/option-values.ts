import { CommandFailure } from './command-failure.ts';

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `30s`, `10m`, `24h`, `7d`: milliseconds, more than none. Throws CommandFailure with exit code 2. */
export function durationMs(option: string, text: string): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const ms = Number(amount) * (UNITS_MS[unit as keyof typeof UNITS_MS] ?? 0);
  // A hundred years: what ends later has no form as a time.
  if (ms > 0 && ms <= 36_500 * UNITS_MS.d) return ms;
  throw wrong(option, text, 'a duration such as 30s, 10m, 24h or 7d');
}

/** A number of seconds, as milliseconds. Throws CommandFailure with exit code 2. */
export function secondsAsMs(option: string, text: string, least: 0 | 1): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= least) return seconds * 1000;
  throw wrong(option, text, `a number of seconds, ${least} or more`);
}

/** Throws CommandFailure with exit code 2. */
export function wholeNumber(option: string, text: string, least: number): number {
  if (/^\d{1,15}$/.test(text) && Number(text) >= least) return Number(text);
  throw wrong(option, text, `a whole number, ${least} or more`);
}

function wrong(option: string, text: string, expected: string): CommandFailure {
  return new CommandFailure(`${option} ${text}: expected ${expected}`, 2);
}
