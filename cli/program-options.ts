import { resolve } from 'node:path';
import { flagOf, type OptionRow, type OptionTable, variableOf } from '../shared/options/option.ts';
import { FILE, FOLDER } from '../shared/options/option-types.ts';
import { LOG_OPTIONS } from '../shared/options/program-options.ts';
import {
  type GivenOption,
  type GivenOptions,
  givenAsFlags,
  OptionError,
  shownText,
} from '../shared/options/read-options.ts';
import type { OptionDeclaration, OptionDeclarations } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { readConfigFile } from './config-file.ts';
import { parseOptions } from './options.ts';

const CONFIG = {
  config: { type: FILE, description: 'a YAML file with any of these', otherwise: 'none' },
} as const satisfies OptionTable;

/** The flags of a program, for parsing and help. */
export function flagsOf(table: OptionTable): OptionDeclarations {
  return declarationsOf({ ...CONFIG, ...table, ...LOG_OPTIONS });
}

/** The flags of a table. */
export function declarationsOf(table: OptionTable): OptionDeclarations {
  const rows = Object.entries(table);
  return Object.fromEntries(rows.map(([key, row]) => [flagOf(key).slice(2), declaration(row)]));
}

function declaration({ type, description, ...row }: OptionRow): OptionDeclaration {
  const absent = row.default ?? row.otherwise;
  return {
    type: 'string',
    value: type.placeholder,
    description: absent === undefined ? description : `${description} (${absent})`,
  };
}

/**
 * What a program was told of its table and of its log: by a flag, else by a variable of the environment, else by the file that --config
 * names. An empty variable says nothing; secrets are taken out of the environment. Throws CommandFailure with exit code 2.
 */
export function givenOptions(
  args: string[],
  table: OptionTable,
  environment: NodeJS.ProcessEnv = process.env,
): GivenOptions {
  const whole = { ...CONFIG, ...table, ...LOG_OPTIONS };
  const { values } = parseOptions(args, flagsOf(table), { max: 0 });
  const keys = Object.keys(whole);
  const flags = givenAsFlags(
    whole,
    Object.fromEntries(keys.map((key) => [key, values[flagOf(key).slice(2)] as string])),
  );
  const told = { ...variables(whole, environment), ...flags };
  const { config, ...rest } = absolute(whole, told);
  return config === undefined
    ? rest
    : { ...readConfigFile(config.text, { ...table, ...LOG_OPTIONS }), ...rest };
}

function variables(table: OptionTable, environment: NodeJS.ProcessEnv): GivenOptions {
  const given: Record<string, GivenOption> = {};
  for (const [key, { secret }] of Object.entries(table)) {
    const name = variableOf(key);
    const text = environment[name];
    // What the programs start inherits the environment.
    if (secret) delete environment[name];
    if (!text) continue;
    given[key] = { text, place: secret ? name : `${name}=${shownText(text)}` };
  }
  return given;
}

/** The container engines and what they start have working directories of their own. */
function absolute(table: OptionTable, given: GivenOptions): GivenOptions {
  const entries = Object.entries(given).map(([key, option]) => {
    const type = table[key]?.type;
    const isPath = option.text !== '' && (type === FILE || type === FOLDER);
    return [key, isPath ? { ...option, text: resolve(option.text) } : option] as const;
  });
  return Object.fromEntries(entries);
}

/** `read` by the rules of the command: an OptionError ends it with exit code 2. */
export function orWrongCall<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof OptionError) throw new CommandFailure(error.message, 2);
    throw error;
  }
}
