import { readFileSync } from 'node:fs';
import type { JsonObject } from '../shared/meta/kube-object.ts';
import { parseYamlDocuments } from '../shared/schema/yaml.ts';
import { CommandFailure } from './command-failure.ts';

/** The objects of a manifest, YAML or JSON; `-` is standard input. Throws CommandFailure. */
export function readManifest(file: string): JsonObject[] {
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
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CommandFailure(`the manifest cannot be read: ${(error as Error).message}`);
  }
  try {
    return parseYamlDocuments(text);
  } catch (error) {
    throw new CommandFailure(`${file}: ${(error as Error).message}`);
  }
}
