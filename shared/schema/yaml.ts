// biome-ignore lint/style/noRestrictedImports: this file is the wrapper
import { parse, parseAllDocuments, stringify } from 'yaml';
import type { JsonValue } from '../meta/kube-object.ts';

/** The value of one YAML 1.1 document. */
export function parseYaml(text: string): JsonValue {
  return parse(text, { version: '1.1' }) as JsonValue;
}

/** The values of all documents of a stream. */
export function parseYamlDocuments(text: string): JsonValue[] {
  return parseAllDocuments(text, { version: '1.1' }).map(
    (document) => document.toJS() as JsonValue,
  );
}

export function printYaml(value: JsonValue): string {
  return stringify(value, { version: '1.1' });
}
