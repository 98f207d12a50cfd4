import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { JsonObject } from '../shared/meta/kube-object.ts';
import { parseYamlDocuments } from '../shared/schema/yaml.ts';
import { CommandFailure } from './command-failure.ts';
import type { Failures } from './failures.ts';

/** The option of commands that take manifests. */
export const FILENAME_OPTION = {
  filename: {
    type: 'string',
    short: 'f',
    multiple: true,
    value: 'FILE',
    description:
      'a manifest, or a folder of them; several with commas, or with -f each; - is standard input',
  },
} as const;

const EXTENSIONS = ['.json', '.yaml', '.yml'];

/**
 * The objects of manifests, YAML or JSON, in their order. A manifest that is not there ends it; one that cannot be read is for the end, as
 * for kubectl. Throws CommandFailure.
 */
export async function readManifests(
  given: readonly string[],
  failures: Failures,
): Promise<JsonObject[]> {
  const files = given.flatMap((names) => names.split(',')).flatMap(filesOf);
  const objects: JsonObject[] = [];
  for (const file of files) objects.push(...((await failures.of(() => objectsOf(file))) ?? []));
  return objects;
}

/** Of a folder its manifests, but not those of folders in it. */
function filesOf(path: string): string[] {
  if (path === '-' || !orExplained(path, () => statSync(path)).isDirectory()) return [path];
  const names = orExplained(path, () => readdirSync(path, { withFileTypes: true }))
    .filter((entry) => !entry.isDirectory() && EXTENSIONS.includes(extname(entry.name)))
    .map(({ name }) => join(path, name))
    .sort();
  if (names.length > 0) return names;
  throw new CommandFailure(`the folder "${path}" holds no ${EXTENSIONS.join(', ')}`);
}

function objectsOf(file: string): JsonObject[] {
  return parsed(file).flatMap((document) => {
    if (document === null) return [];
    if (typeof document !== 'object' || Array.isArray(document))
      throw new CommandFailure(`${file}: a document is not an object`);
    return document['kind'] === 'List' ? itemsOf(document) : [document];
  });
}

function itemsOf({ items }: JsonObject): JsonObject[] {
  return Array.isArray(items) ? (items as JsonObject[]) : [];
}

function parsed(file: string): ReturnType<typeof parseYamlDocuments> {
  const text = orExplained(file, () => readFileSync(file === '-' ? 0 : file, 'utf8'));
  try {
    return parseYamlDocuments(text);
  } catch (error) {
    throw new CommandFailure(`${file}: ${(error as Error).message}`);
  }
}

const WHY: Record<string, string> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'cannot be read: permission denied',
};

function orExplained<Value>(path: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new CommandFailure(`the path "${path}" ${WHY[code] ?? `cannot be read: ${code}`}`);
  }
}
