import {
  type Document,
  type DocumentOptions,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type ParseOptions,
  parseAllDocuments,
  parseDocument,
  type Scalar,
  type SchemaOptions,
  stringify,
  type Tags,
  type YAMLParseError,
} from 'yaml';
import type { JsonValue } from '../meta/kube-object.ts';

/** Aliases resolved in one document. */
const MAX_ALIASES = 100;
/** What the API server takes as a body. */
const MAX_LENGTH = 3 * 1024 * 1024;

/** The text is not YAML, or is refused for its size; the message is one line. */
class YamlError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'YamlError';
  }
}

/**
 * The value of one YAML document; an empty text is null.
 * @throws YamlError
 */
export function parseYaml(text: string): JsonValue {
  return parseYamlObject(text).value;
}

/**
 * The value of one YAML document, and what strict decoding finds in it: keys that occur twice, told as Kubernetes does.
 * @throws YamlError
 */
export function parseYamlObject(text: string): { value: JsonValue; duplicates: string[] } {
  return guarded(text, () => {
    const lineCounter = new LineCounter();
    const document = parseDocument(text, { ...OPTIONS, lineCounter });
    const value = toValue(document);
    const lines: string[] = [];
    findDuplicates(document.contents, lineCounter, lines);
    const found = lines.length > 0 ? [`yaml: unmarshal errors:\n${lines.join('\n')}`] : [];
    return { value, duplicates: found };
  });
}

/** A key of a text that is one mapping, with the line that it is on (from 1); `text` is a scalar as it is written, without its quotes. */
export interface YamlEntry {
  key: string;
  line: number;
  value: { kind: 'scalar'; text: string } | { kind: 'nothing' | 'list' | 'mapping' };
}

/**
 * The keys of a text that is one mapping, in order, each as often as it occurs: for who must say where something is wrong. A text without
 * anything in it has none.
 * @throws YamlError
 */
export function parseYamlEntries(text: string): YamlEntry[] {
  return guarded(text, () => {
    const lineCounter = new LineCounter();
    const document = parseDocument(text, { ...OPTIONS, lineCounter });
    const [error] = document.errors;
    if (error !== undefined) throw syntaxError(error);
    const { contents } = document;
    if (contents === null || (isScalar(contents) && contents.value === null)) return [];
    if (!isMap(contents)) throw new YamlError('yaml: line 1: not a mapping of keys to values');
    return contents.items.map(({ key, value }) => ({
      key: isScalar(key) ? scalarText(key) : String(key),
      line: isNode(key) ? lineCounter.linePos(key.range?.[0] ?? 0).line : 1,
      value: entryValue(value),
    }));
  });
}

function entryValue(value: unknown): YamlEntry['value'] {
  if (isMap(value)) return { kind: 'mapping' };
  if (isSeq(value)) return { kind: 'list' };
  if (!isScalar(value) || (value.value === null && scalarText(value) === '')) {
    return { kind: 'nothing' };
  }
  return { kind: 'scalar', text: scalarText(value) };
}

function scalarText({ value, source }: Scalar): string {
  return typeof value === 'string' ? value : (source ?? String(value ?? ''));
}

/**
 * The values of all documents of a stream; empty documents are left out.
 * @throws YamlError
 */
export function parseYamlDocuments(text: string): JsonValue[] {
  return guarded(text, () =>
    [...parseAllDocuments(text, OPTIONS)].map(toValue).filter((value) => value !== null),
  );
}

/** YAML in the order of the keys, two spaces deep, lists at the depth of their key as kubectl prints them. */
export function printYaml(value: JsonValue): string {
  return stringify(value, {
    // In full 1.1, so that text which some reader would take for a date is quoted.
    version: '1.1',
    lineWidth: 0,
    indentSeq: false,
    aliasDuplicateObjects: false,
  });
}

/**
 * YAML 1.1 as Kubernetes' library reads it: `yes` is true, `0777` is 511, `<<` merges. Two parts of 1.1 it does not have, and
 * so they stay text here: dates, and numbers to the base of sixty, which `8080:80` would be.
 */
const OPTIONS: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  uniqueKeys: false,
  customTags: (tags: Tags): Tags =>
    tags.filter(
      (tag) =>
        typeof tag !== 'object' ||
        (tag.tag !== 'tag:yaml.org,2002:timestamp' && tag.format !== 'TIME'),
    ),
};

function guarded<T>(text: string, parse: () => T): T {
  if (text.length > MAX_LENGTH) {
    throw new YamlError(`yaml: document is longer than ${MAX_LENGTH} bytes`);
  }
  checkDepth(text);
  try {
    return parse();
  } catch (error) {
    if (error instanceof YamlError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new YamlError(`yaml: ${why}`);
  }
}

/**
 * The library recurses, and V8 ends the process when a regular expression is compiled at the end of the stack: nesting is
 * bounded before the text is parsed. Most texts have too few brackets and too little indentation to need the count.
 */
function checkDepth(text: string): void {
  if (!mayBeDeep(text)) return;
  let brackets = 0;
  let column = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') brackets++;
    else if (token === ']' || token === '}') brackets--;
    else if (token === '\n' || token === '\r\n') column = 0;
    else if (token === '-' || token === '?' || token === ':' || /^ +$/.test(token))
      column += token.length;
    if (brackets + column > MAX_DEPTH) throw new YamlError('yaml: exceeded max depth');
  }
}

/** Of brackets, and of columns: a level of block style takes at least one. */
const MAX_DEPTH = 500;

/** False is certain. */
function mayBeDeep(text: string): boolean {
  let brackets = 0;
  let column = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === NEWLINE) column = 0;
    else if (char === SPACE || char === DASH || char === QUESTION_MARK || char === COLON) column++;
    else if (char === OPEN_BRACKET || char === OPEN_BRACE) brackets++;
    if (brackets + column > MAX_DEPTH) return true;
  }
  return false;
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
const DASH = 0x2d;
const COLON = 0x3a;
const QUESTION_MARK = 0x3f;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;

function toValue(document: Document.Parsed): JsonValue {
  const [error] = document.errors;
  if (error !== undefined) throw syntaxError(error);
  return toJson(document.toJS({ maxAliasCount: MAX_ALIASES }));
}

function syntaxError(error: YAMLParseError): YamlError {
  const line = error.linePos?.[0].line;
  const [message = ''] = error.message.split(/ at line|\n/);
  return new YamlError(`yaml: ${line === undefined ? '' : `line ${line}: `}${message}`);
}

/** What YAML has and JSON has not: binary becomes base64, sets and ordered maps become objects. */
function toJson(value: unknown): JsonValue {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Uint8Array) return btoa(String.fromCharCode(...value));
  if (value instanceof Set) return Object.fromEntries([...value].map((key) => [String(key), null]));
  if (value instanceof Map) return fromEntries([...value]);
  if (typeof value === 'object') return fromEntries(Object.entries(value));
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new YamlError(`yaml: ${value} is not a number in JSON`);
  }
  return value as string | number | boolean;
}

function fromEntries(entries: [unknown, unknown][]): JsonValue {
  return Object.fromEntries(entries.map(([key, item]) => [String(key), toJson(item)]));
}

function findDuplicates(node: unknown, counter: LineCounter, lines: string[]): void {
  if (isSeq(node)) {
    for (const item of node.items) findDuplicates(item, counter, lines);
  } else if (isMap(node)) {
    const keys = new Set<string>();
    for (const { key, value } of node.items) {
      if (isScalar(key)) {
        const name = String(key.value);
        if (keys.has(name) && name !== '<<') {
          const { line } = counter.linePos(key.range?.[0] ?? 0);
          lines.push(`  line ${line}: key "${name}" already set in map`);
        }
        keys.add(name);
      }
      findDuplicates(value, counter, lines);
    }
  }
}
