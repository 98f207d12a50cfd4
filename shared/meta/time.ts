const DAY_MS = 86_400_000;

/**
 * `2026-01-02T03:04:05.678Z`, as Date.toISOString writes it, of the years 0 to 9999. Throws RangeError for others. Not by a Date, whose
 * first field that is asked for loads the time zones of the whole world: close to a megabyte that nothing here needs.
 */
export function formatIsoTime(ms: number): string {
  const day = Math.floor(ms / DAY_MS);
  const { year, month, dayOfMonth } = civilDate(day);
  if (!(year >= 0 && year <= 9999))
    throw new RangeError(`${ms} ms is not a time of the years 0 to 9999`);
  const ofDay = Math.trunc(ms - day * DAY_MS);
  const time = [ofDay / 3_600_000, (ofDay / 60_000) % 60, (ofDay / 1000) % 60].map((part) =>
    digits(part, 2),
  );
  const date = [digits(year, 4), digits(month, 2), digits(dayOfMonth, 2)];
  return `${date.join('-')}T${time.join(':')}.${digits(ofDay % 1000, 3)}Z`;
}

function digits(value: number, count: number): string {
  return String(Math.trunc(value)).padStart(count, '0');
}

/**
 * The date in the Gregorian calendar of a day since 1970-01-01. Years begin in March here, so that the leap day is the last of its year:
 * https://howardhinnant.github.io/date_algorithms.html#civil_from_days.
 */
function civilDate(sinceEpoch: number) {
  const DAYS_OF_ERA = 146_097;
  const days = sinceEpoch + 719_468;
  const era = Math.floor(days / DAYS_OF_ERA);
  const dayOfEra = days - era * DAYS_OF_ERA;
  const leapDays =
    Math.trunc(dayOfEra / 1460) - Math.trunc(dayOfEra / 36_524) + Math.trunc(dayOfEra / 146_096);
  const yearOfEra = Math.trunc((dayOfEra - leapDays) / 365);
  const daysBefore = 365 * yearOfEra + Math.trunc(yearOfEra / 4) - Math.trunc(yearOfEra / 100);
  const dayOfYear = dayOfEra - daysBefore;
  const fromMarch = Math.trunc((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return {
    year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0),
    month,
    dayOfMonth: dayOfYear - Math.trunc((153 * fromMarch + 2) / 5) + 1,
  };
}

/** `2026-01-02T03:04:05Z`: metav1.Time as it goes over the wire (RFC 3339, whole seconds, UTC). */
export function formatTime(ms: number): string {
  return `${formatIsoTime(ms).slice(0, 19)}Z`;
}

/** `2026-01-02T03:04:05.678000Z`: metav1.MicroTime; the clocks here count milliseconds. */
export function formatMicroTime(ms: number): string {
  return `${formatIsoTime(ms).slice(0, 23)}000Z`;
}

/** Milliseconds since 1970 of an RFC 3339 time; undefined when there is none or it is not one. */
export function parseTime(time: string | null | undefined): number | undefined {
  if (time === undefined || time === null || time === '') return undefined;
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? undefined : ms;
}

/** The time from `since` to `nowMs` as kubectl shows ages; `<unknown>` when there is no time. */
export function ageOf(since: string | null | undefined, nowMs: number): string {
  const sinceMs = parseTime(since);
  return sinceMs === undefined ? '<unknown>' : humanDuration(nowMs - sinceMs);
}

/**
 * A duration for people, two or three digits of it: `5s`, `3m12s`, `4d3h`. The steps are those of apimachinery's
 * duration.HumanDuration; clocks that differ by up to two seconds show `0s`, further ahead `<invalid>`.
 */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(durationMs / 60_000);
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(durationMs / 3_600_000);
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return pair(days, 'd', hours % 24, 'h');
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.trunc(days / 365);
  if (hours < 24 * 365 * 8) return pair(years, 'y', days % 365, 'd');
  return `${years}y`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}
