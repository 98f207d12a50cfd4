import { parseArgs } from 'node:util';
import { CommandFailure } from './command-failure.ts';

type OptionTable = Record<
  string,
  { type: 'string' | 'boolean'; short?: string; multiple?: boolean }
>;

/** Parses a command's arguments by its table; a wrong one is a CommandFailure with exit code 2. */
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
    return parsed;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CommandFailure(
      `${error.message.replace(/\. To specify a positional.*$/, '')}; --help shows the options`,
      2,
    );
  }
}
