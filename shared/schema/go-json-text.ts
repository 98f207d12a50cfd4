import type { JsonValue } from '../meta/kube-object.ts';

/**
 * Reads JSON text the way Go's decoder does where JSON.parse does not tell enough: its words for bad syntax, and keys that occur
 * twice in one object. Nothing is built; JSON.parse makes the values. Iterative, so that depth costs no stack.
 */

/** Deeper documents are refused: no Kubernetes object comes near, and what handles them later recurses. */
const MAX_DEPTH = 1000;

/** The text is not JSON; the message is the one of Go's encoding/json. */
class JsonSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JsonSyntaxError';
  }
}

interface Level {
  /** The keys met so far; undefined in an array. */
  keys: Set<string> | undefined;
  /** The number of the current element, or the current key. */
  at: number | string;
}

/**
 * JSON.parse for text from outside: a document nested deeper than anything that handles it can bear is refused here.
 * @throws JsonSyntaxError, with Go's words also for bad syntax
 */
export function parseJsonText(text: string): JsonValue {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    findDuplicateKeys(text);
    throw error;
  }
  if (mayBeDeep(text)) findDuplicateKeys(text);
  return value;
}

/**
 * The paths of duplicate keys, as Kubernetes prints them (`spec.containers[0].image`), in the order of the text.
 * @throws JsonSyntaxError
 */
export function findDuplicateKeys(text: string): string[] {
  return new Scanner(text).run();
}

class Scanner {
  private readonly text: string;
  private position = 0;
  private readonly levels: Level[] = [];
  private readonly duplicates: string[] = [];

  constructor(text: string) {
    this.text = text;
  }

  run(): string[] {
    this.value();
    while (this.levels.length > 0) this.afterValue();
    this.space();
    if (this.position < this.text.length) this.fail('after top-level value');
    return this.duplicates;
  }

  /** Reads a scalar, or opens an object or array and reads up to its first value. */
  private value(): void {
    for (;;) {
      this.space();
      const char = this.text[this.position];
      if (char === '{') {
        if (!this.openObject()) return;
      } else if (char === '[') {
        if (!this.openArray()) return;
      } else {
        this.scalar(char);
        return;
      }
    }
  }

  /** True when a value follows. */
  private openObject(): boolean {
    this.push({ keys: new Set(), at: '' });
    this.space();
    if (this.text[this.position] === '}') return this.close();
    this.key('looking for beginning of object key string');
    return true;
  }

  private openArray(): boolean {
    this.push({ keys: undefined, at: 0 });
    this.space();
    return this.text[this.position] === ']' ? this.close() : true;
  }

  private push(level: Level): void {
    this.position++;
    if (this.levels.push(level) > MAX_DEPTH) throw new JsonSyntaxError('exceeded max depth');
  }

  private close(): false {
    this.position++;
    this.levels.pop();
    return false;
  }

  private afterValue(): void {
    const level = this.levels[this.levels.length - 1];
    if (level === undefined) return;
    this.space();
    const char = this.text[this.position];
    if (level.keys === undefined) {
      if (char === ']') {
        this.close();
        return;
      }
      if (char !== ',') this.fail('after array element');
      this.position++;
      level.at = Number(level.at) + 1;
    } else {
      if (char === '}') {
        this.close();
        return;
      }
      if (char !== ',') this.fail('after object key:value pair');
      this.position++;
      this.space();
      this.key('looking for beginning of object key string');
    }
    this.value();
  }

  private key(context: string): void {
    const level = this.levels[this.levels.length - 1];
    if (this.text[this.position] !== '"') this.fail(context);
    const key = this.string();
    if (level?.keys !== undefined) {
      level.at = key;
      if (level.keys.has(key)) this.duplicates.push(this.path());
      level.keys.add(key);
    }
    this.space();
    if (this.text[this.position] !== ':') this.fail('after object key');
    this.position++;
  }

  private scalar(char: string | undefined): void {
    if (char === '"') {
      this.string();
      return;
    }
    if (char === 't') this.literal('true');
    else if (char === 'f') this.literal('false');
    else if (char === 'n') this.literal('null');
    else if (char === '-' || (char !== undefined && char >= '0' && char <= '9')) this.number();
    else this.fail('looking for beginning of value');
  }

  private literal(word: string): void {
    for (const [index, expected] of [...word].entries()) {
      if (this.text[this.position] !== expected) {
        this.fail(index === 0 ? '' : `in literal ${word} (expecting '${expected}')`);
      }
      this.position++;
    }
  }

  private number(): void {
    NUMBER.lastIndex = this.position;
    const match = NUMBER.exec(this.text);
    if (match === null) {
      this.position++;
      this.fail('in numeric literal');
      return;
    }
    this.position += match[0].length;
    const next = this.text[this.position];
    if (next === '.') {
      this.position++;
      this.fail('after decimal point in numeric literal');
    }
  }

  private string(): string {
    const start = this.position++;
    let isPlain = true;
    for (;;) {
      PLAIN_TEXT.lastIndex = this.position;
      PLAIN_TEXT.test(this.text);
      this.position = PLAIN_TEXT.lastIndex;
      const code = this.text.charCodeAt(this.position);
      if (code === QUOTE) break;
      if (code !== BACKSLASH) this.fail('in string literal');
      isPlain = false;
      this.escape();
    }
    this.position++;
    if (isPlain) return this.text.slice(start + 1, this.position - 1);
    return JSON.parse(this.text.slice(start, this.position)) as string;
  }

  private escape(): void {
    this.position++;
    const char = this.text[this.position];
    if (char === 'u') {
      for (let index = 0; index < 4; index++) {
        this.position++;
        if (!/[0-9a-fA-F]/.test(this.text[this.position] ?? '')) {
          this.fail('in \\u hexadecimal character escape');
        }
      }
    } else if (char === undefined || !'"\\/bfnrt'.includes(char)) {
      this.fail('in string escape code');
    }
    this.position++;
  }

  private space(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.position++;
    }
  }

  private path(): string {
    return this.levels
      .map(({ keys, at }) => (keys === undefined ? `[${at}]` : `.${at}`))
      .join('')
      .replace(/^\./, '');
  }

  private fail(context: string): never {
    const code = this.text.codePointAt(this.position);
    if (code === undefined) throw new JsonSyntaxError('unexpected end of JSON input');
    throw new JsonSyntaxError(`invalid character ${quoteCharacter(code)} ${context}`);
  }
}

/** False is certain: fewer brackets than the depth that is too much. */
function mayBeDeep(text: string): boolean {
  let opened = 0;
  for (let at = text.indexOf('['); at >= 0 && opened <= MAX_DEPTH; at = text.indexOf('[', at + 1))
    opened++;
  for (let at = text.indexOf('{'); at >= 0 && opened <= MAX_DEPTH; at = text.indexOf('{', at + 1))
    opened++;
  return opened > MAX_DEPTH;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings
const PLAIN_TEXT = /[^"\\\u0000-\u001f]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** As Go's strconv.Quote, in single quotes. */
function quoteCharacter(code: number): string {
  if (code === 0x27) return "'\\''";
  if (code === QUOTE) return `'"'`;
  return `'${JSON.stringify(String.fromCodePoint(code)).slice(1, -1)}'`;
}
