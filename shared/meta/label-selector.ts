import type { LabelSelector } from '../schema/kubernetes-types.ts';
import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldRequired,
  goQuote,
} from './field-error.ts';
import { checkLabelValue, checkQualifiedName } from './names.ts';
import { validateLabelName, validateLabels } from './object-meta.ts';

export type LabelOperator = 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt';

/** One condition on the labels of an object; all of them must hold. */
export interface LabelRequirement {
  key: string;
  operator: LabelOperator;
  /** Sorted, without duplicates. */
  values: readonly string[];
}

/** Every requirement must hold; none at all selects everything. */
export type LabelRequirements = readonly LabelRequirement[];

/** The text is not a label selector; the message is Kubernetes' own. */
export class SelectorError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SelectorError';
  }
}

/** Parses `a=b,c in (d,e),!f`, the form of `kubectl -l`. Throws SelectorError. */
export function parseLabelSelector(text: string): LabelRequirements {
  return new Parser(tokens(text)).parse();
}

export function matchesLabels(
  requirements: LabelRequirements,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  return requirements.every((requirement) => holds(requirement, labels?.[requirement.key]));
}

/**
 * The requirements of the object form (matchLabels and matchExpressions). No selector selects nothing, which is returned as
 * undefined; an empty one selects everything. Throws SelectorError.
 */
export function requirementsOf(selector: LabelSelector | undefined): LabelRequirements | undefined {
  if (selector === undefined || selector === null) return undefined;
  const requirements = Object.entries(selector.matchLabels ?? {}).map(([key, value]) =>
    requirement(key, '=', [value]),
  );
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = OBJECT_OPERATORS[operator];
    if (known === undefined) {
      throw new SelectorError(`${goQuote(operator)} is not a valid label selector operator`);
    }
    requirements.push(requirement(key, known, values ?? []));
  }
  return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** Whether the object form selects these labels; no selector and a broken one select nothing. */
export function selects(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  try {
    const requirements = requirementsOf(selector);
    return requirements !== undefined && matchesLabels(requirements, labels);
  } catch {
    return false;
  }
}

/** The string form of requirements: `app=web,tier in (a,b)`. */
export function formatRequirements(requirements: LabelRequirements): string {
  return requirements.map(formatRequirement).join(',');
}

/** As kubectl shows a selector in a column: `<none>` when it is empty, `<error>` when it is broken. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  try {
    return formatRequirements(requirementsOf(selector) ?? []) || '<none>';
  } catch {
    return '<error>';
  }
}

/** apimachinery's ValidateLabelSelector. */
export function validateLabelSelector(selector: LabelSelector, path: string): FieldError[] {
  const errors = validateLabels(selector.matchLabels, `${path}.matchLabels`);
  for (const [index, expression] of (selector.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${index}]`;
    const values = expression.values ?? [];
    if (expression.operator === 'In' || expression.operator === 'NotIn') {
      if (values.length === 0) {
        errors.push(
          fieldRequired(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"),
        );
      }
    } else if (expression.operator === 'Exists' || expression.operator === 'DoesNotExist') {
      if (values.length > 0) {
        errors.push(
          fieldForbidden(
            `${at}.values`,
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
          ),
        );
      }
    } else {
      errors.push(
        fieldInvalid(`${at}.operator`, expression.operator, 'not a valid selector operator'),
      );
    }
    errors.push(...validateLabelName(expression.key, `${at}.key`));
    for (const [valueIndex, value] of values.entries()) {
      for (const message of checkLabelValue(value)) {
        errors.push(fieldInvalid(`${at}.values[${valueIndex}]`, value, message));
      }
    }
  }
  return errors;
}

const OBJECT_OPERATORS: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/** What the parser lists when it misses an operator between a key and its values. */
const BINARY_OPERATORS = 'in, notin, =, ==, !=, gt, lt';
const EXACT_OPERATORS: Readonly<Record<string, LabelOperator>> = {
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
};

function holds({ operator, values }: LabelRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'in':
    case '=':
    case '==':
      return value !== undefined && values.includes(value);
    case 'notin':
    case '!=':
      return value === undefined || !values.includes(value);
    case 'gt':
    case 'lt': {
      const bound = values[0];
      if (value === undefined || bound === undefined || !INTEGER.test(value)) return false;
      return operator === 'gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    }
  }
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`;
    case 'gt':
      return `${key}>${values.join()}`;
    case 'lt':
      return `${key}<${values.join()}`;
    case '=':
    case '==':
    case '!=':
      return `${key}${operator}${values.join()}`;
  }
}

const INTEGER = /^-?\d+$/;

function requirement(
  key: string,
  operator: LabelOperator,
  given: readonly string[],
): LabelRequirement {
  const values = [...new Set(given)].sort();
  const problems = [...checkKey('key', key), ...checkValues(key, operator, values)];
  if (problems.length > 0) {
    throw new SelectorError(problems.length === 1 ? `${problems[0]}` : `[${problems.join(', ')}]`);
  }
  return { key, operator, values };
}

function checkKey(path: string, key: string): string[] {
  const messages = checkQualifiedName(key);
  return messages.length === 0 ? [] : [invalidText(path, key, messages)];
}

function checkValues(key: string, operator: LabelOperator, values: readonly string[]): string[] {
  const problems: string[] = [];
  const shown = `[]string{${values.map(goQuote).join(', ')}}`;
  if ((operator === 'in' || operator === 'notin') && values.length === 0) {
    problems.push(
      `values: Invalid value: ${shown}: for 'in', 'notin' operators, values set can't be empty`,
    );
  }
  if ((operator === 'exists' || operator === '!') && values.length > 0) {
    problems.push(
      `values: Invalid value: ${shown}: values set must be empty for exists and does not exist`,
    );
  }
  if ((operator === 'gt' || operator === 'lt') && !INTEGER.test(values[0] ?? '')) {
    const rule = "for 'Gt', 'Lt' operators, the value must be an integer";
    problems.push(`values[0]: Invalid value: ${goQuote(values[0] ?? '')}: ${rule}`);
  }
  for (const [index, value] of values.entries()) {
    const wrong = checkLabelValue(value);
    if (wrong.length > 0) problems.push(invalidText(`values[${index}][${key}]`, value, wrong));
  }
  return problems;
}

function invalidText(path: string, value: string, messages: readonly string[]): string {
  return `${path}: Invalid value: ${goQuote(value)}: ${messages.join('; ')}`;
}

interface Token {
  kind: 'word' | 'symbol' | 'end';
  text: string;
}

const SYMBOLS = ['==', '!=', '=', '!', '(', ')', ',', '>', '<'];

function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? '';
    if (/[ \t\r\n]/.test(char)) {
      at += 1;
      continue;
    }
    const symbol = SYMBOLS.find((candidate) => text.startsWith(candidate, at));
    const word = symbol ?? /^[^ \t\r\n=!(),><]+/.exec(text.slice(at))?.[0] ?? char;
    found.push({ kind: symbol === undefined ? 'word' : 'symbol', text: word });
    at += word.length;
  }
  found.push({ kind: 'end', text: '' });
  return found;
}

/** The grammar of apimachinery's labels.Parse, with its messages. */
class Parser {
  private readonly tokens: readonly Token[];
  private position = 0;

  constructor(list: readonly Token[]) {
    this.tokens = list;
  }

  parse(): LabelRequirements {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const next = this.peek();
      if (next.kind === 'end') return requirements;
      if (next.kind !== 'word' && next.text !== '!') {
        throw new SelectorError(
          `found '${next.text}', expected: !, identifier, or 'end of string'`,
        );
      }
      requirements.push(this.requirement());
      const separator = this.take();
      if (separator.kind === 'end') return requirements;
      if (separator.text !== ',' || separator.kind !== 'symbol') {
        throw new SelectorError(`found '${separator.text}', expected: ',' or 'end of string'`);
      }
      const after = this.peek();
      if (after.kind !== 'word' && after.text !== '!') {
        throw new SelectorError(`found '${after.text}', expected: identifier after ','`);
      }
    }
  }

  private requirement(): LabelRequirement {
    try {
      return this.parseRequirement();
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      throw new SelectorError(`unable to parse requirement: ${error.message}`);
    }
  }

  private parseRequirement(): LabelRequirement {
    let token = this.take();
    const isNegated = token.kind === 'symbol' && token.text === '!';
    if (isNegated) token = this.take();
    if (token.kind !== 'word') {
      throw new SelectorError(`found '${token.text}', expected: identifier`);
    }
    const key = token.text;
    const [wrong] = checkKey('<nil>', key);
    if (wrong !== undefined) throw new SelectorError(wrong);
    if (isNegated) return requirement(key, '!', []);
    if (this.atEndOfRequirement()) return requirement(key, 'exists', []);

    const operator = this.take();
    if (operator.kind === 'word' && (operator.text === 'in' || operator.text === 'notin')) {
      return requirement(key, operator.text, this.valueList());
    }
    const exact = operator.kind === 'symbol' ? EXACT_OPERATORS[operator.text] : undefined;
    if (exact === undefined) {
      throw new SelectorError(`found '${operator.text}', expected: ${BINARY_OPERATORS}`);
    }
    return requirement(key, exact, [this.exactValue()]);
  }

  private exactValue(): string {
    if (this.atEndOfRequirement()) return '';
    const token = this.take();
    if (token.kind === 'word') return token.text;
    throw new SelectorError(`found '${token.text}', expected: identifier`);
  }

  /** `(a,b)`; a missing value between commas is the empty one. */
  private valueList(): string[] {
    const open = this.take();
    if (open.text !== '(') throw new SelectorError(`found '${open.text}' expected: '('`);
    const first = this.peek();
    if (first.kind !== 'word' && first.text !== ',' && first.text !== ')') {
      throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values: string[] = [];
    let pending = '';
    for (;;) {
      const token = this.take();
      if (token.kind === 'word' && pending === '') {
        pending = token.text;
        const next = this.peek();
        if (next.text !== ',' && next.text !== ')') {
          throw new SelectorError(`found '${next.text}', expected: ',' or ')'`);
        }
      } else if (token.kind === 'symbol' && token.text === ',') {
        values.push(pending);
        pending = '';
      } else if (token.kind === 'symbol' && token.text === ')') {
        return [...values, pending];
      } else {
        throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
      }
    }
  }

  private atEndOfRequirement(): boolean {
    const next = this.peek();
    return next.kind === 'end' || (next.kind === 'symbol' && next.text === ',');
  }

  private peek(): Token {
    return this.tokens[this.position] ?? END;
  }

  private take(): Token {
    const token = this.peek();
    this.position += 1;
    return token;
  }
}

const END: Token = { kind: 'end', text: '' };
