import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CommandFailure } from './command-failure.ts';
import { nearestWord } from './nearest-word.ts';

type OptionTable = Readonly<
  Record<string, { type: 'string' | 'boolean'; short?: string; multiple?: boolean }>
>;

/** Parses a command's arguments by its table; a wrong one is a CommandFailure with exit code 2. A relative --data-dir becomes absolute. */
export function parseOptions<Table extends OptionTable>(
  args: string[],
  options: Table,
  positionals: { max: number },
) {
  try {
    const parsed = parseArgs({ args, options, allowPositionals: true, strict: true });
    if (parsed.positionals.length > positionals.max) {
      throw new TypeError(`Unexpected argument '${parsed.positionals[positionals.max]}'`);
    }
    return absoluteDataDir(parsed);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CommandFailure(explained(error.message, Object.keys(options)), 2);
  }
}

/** What util.parseArgs throws, as a sentence with what to do. */
function explained(message: string, names: readonly string[]): string {
  const help = '--help shows the options';
  const [flag] = /--[a-z][a-z-]*/.exec(message) ?? [];
  if (message.includes(' is ambiguous'))
    return `${flag}: expected a value; one that begins with - is written ${flag}=-1`;
  if (message.endsWith(' argument missing')) return `${flag}: expected a value; ${help}`;
  if (message.endsWith(' does not take an argument')) return `${flag}: expected no value; ${help}`;
  const sentence = message.replace(/\. To specify a positional.*$/, '');
  const unknown = /^Unknown option '--(.*)'/.exec(sentence)?.[1];
  const near = unknown === undefined ? undefined : nearestWord(unknown, names);
  return `${sentence}; ${near === undefined ? help : `did you mean --${near}?`}`;
}

/** The container engines and what they start have working directories of their own. */
function absoluteDataDir<Parsed extends { values: object }>(parsed: Parsed): Parsed {
  const { 'data-dir': dataDir } = parsed.values as { 'data-dir'?: string };
  if (dataDir) Object.assign(parsed.values, { 'data-dir': resolve(dataDir) });
  return parsed;
}
