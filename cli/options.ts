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
    const message = error.message.replace(/\. To specify a positional.*$/, '');
    const unknown = /^Unknown option '--(.*)'/.exec(message)?.[1];
    const near = unknown === undefined ? undefined : nearestWord(unknown, Object.keys(options));
    const meant = near === undefined ? '' : `; did you mean --${near}?`;
    throw new CommandFailure(`${message}${meant}; --help shows the options`, 2);
  }
}

/** The container engines and what they start have working directories of their own. */
function absoluteDataDir<Parsed extends { values: object }>(parsed: Parsed): Parsed {
  const { 'data-dir': dataDir } = parsed.values as { 'data-dir'?: string };
  if (dataDir) Object.assign(parsed.values, { 'data-dir': resolve(dataDir) });
  return parsed;
}
