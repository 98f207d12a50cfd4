import { isControl } from '../one-line.ts';
import { flagOf, type OptionTable, type ValuesOf } from './option.ts';

/** What somebody said of an option: the text, and where it stands as an error names it: `--listen 6443`, `master.yaml:3: listen 6443`. */
export interface GivenOption {
  text: string;
  place: string;
}

export type GivenOptions = Readonly<Record<string, GivenOption>>;

/** An option that cannot be right; the message is one sentence that names where it was given, what was expected, and what to do. */
export class OptionError extends Error {
  constructor(place: string, problem: string) {
    super(`${place}: ${problem}`);
    this.name = 'OptionError';
  }
}

/** Reads what was given, and the defaults, by the table. Throws OptionError. */
export function readOptions<Table extends OptionTable>(
  table: Table,
  given: GivenOptions,
): ValuesOf<Table> {
  const values = Object.entries(table).map(([key, { type, ...row }]) => {
    const text = given[key]?.text ?? row.default;
    if (text === undefined) return [key, undefined];
    const value = type.parse(text);
    if (value === undefined) {
      throw new OptionError(placeOf(table, given, key), `expected ${type.expected}`);
    }
    return [key, value];
  });
  return Object.fromEntries(values) as ValuesOf<Table>;
}

/** Where an option was given, or its flag with the default. */
export function placeOf(table: OptionTable, given: GivenOptions, key: string): string {
  return given[key]?.place ?? `${flagOf(key)} ${table[key]?.default ?? ''}`.trim();
}

/** Options as flags say them: `{ listen: '6443' }` is `--listen 6443`. */
export function givenAsFlags(
  table: OptionTable,
  texts: Readonly<Record<string, string | undefined>>,
): GivenOptions {
  const given = Object.entries(texts).flatMap(([key, text]) => {
    if (text === undefined) return [];
    const place = table[key]?.secret ? flagOf(key) : `${flagOf(key)} ${shownText(text)}`;
    return [[key, { text, place }] as const];
  });
  return Object.fromEntries(given);
}

const LONGEST_SHOWN = 200;

/** A value as a place shows it: on one line, and not endless. */
export function shownText(text: string): string {
  const start = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text;
  return [...start].some(isControl) ? JSON.stringify(start) : start;
}
