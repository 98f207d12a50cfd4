import { readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { type OptionRow, type OptionTable, variableOf } from '../shared/options/option.ts';
import { FILE, FOLDER } from '../shared/options/option-types.ts';
import { type GivenOption, type GivenOptions, shownText } from '../shared/options/read-options.ts';
import { parseYamlEntries, type YamlEntry } from '../shared/schema/yaml.ts';
import { CommandFailure } from './command-failure.ts';
import { suggestion } from './nearest-word.ts';

/**
 * What a configuration file says, a YAML mapping of the table's keys. Throws CommandFailure with exit code 2, one sentence that names file,
 * line and key.
 */
export function readConfigFile(path: string, table: OptionTable): GivenOptions {
  const given: Record<string, GivenOption> = {};
  for (const entry of entriesOf(path)) {
    const { key, line } = entry;
    const at = `${path}:${line}`;
    const row = Object.hasOwn(table, key) ? table[key] : undefined;
    if (row === undefined)
      throw wrong(`${at}: unknown key "${shownText(key)}"${meant(key, table)}`);
    if (given[key] !== undefined) throw wrong(`${at}: ${key} is set a second time: keep one`);
    given[key] = { text: textOf(at, entry, row), place: `${at}: ${shown(entry, row)}` };
    if (row.secret && (statSync(path).mode & 0o077) !== 0) {
      throw wrong(`${at}: ${key} is secret, and others may read this file: chmod 600 ${path}`);
    }
  }
  return given;
}

function entriesOf(path: string): YamlEntry[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      { ENOENT: 'there is no such file', EACCES: 'this user may not read it' }[code ?? ''] ??
      message;
    throw wrong(`--config ${path}: ${why}`);
  }
  try {
    return parseYamlEntries(text);
  } catch (error) {
    const [, line = '1', why] =
      /^yaml: (?:line (\d+): )?(.*)$/s.exec((error as Error).message) ?? [];
    throw wrong(`${path}:${line}: ${why}; expected lines such as "dataDir: /var/lib/skerry"`);
  }
}

function textOf(at: string, { key, value }: YamlEntry, { type }: OptionRow): string {
  if (value.kind !== 'scalar') {
    const found = value.kind === 'nothing' ? 'nothing' : `a ${value.kind}`;
    throw wrong(`${at}: ${key}: expected ${type.expected}, found ${found}`);
  }
  if ((type === FILE || type === FOLDER) && !isAbsolute(value.text)) {
    throw wrong(`${at}: ${key} ${shownText(value.text)}: expected a path that begins with /`);
  }
  return value.text;
}

function shown({ key, value }: YamlEntry, { secret }: OptionRow): string {
  return secret || value.kind !== 'scalar' ? key : `${key} ${shownText(value.text)}`;
}

/** A flag's name, or a slip. */
function meant(key: string, table: OptionTable): string {
  const keys = Object.keys(table);
  const asVariable = variableOf(key.replaceAll('_', '-'));
  const same = keys.find((one) => variableOf(one) === asVariable || variableOf(one) === key);
  const near = same === undefined ? suggestion(key, keys) : `; did you mean ${same}?`;
  return near === '' ? `; it knows ${keys.join(', ')}` : near;
}

function wrong(sentence: string): CommandFailure {
  return new CommandFailure(sentence, 2);
}
