import { SelectorError } from './label-selector.ts';

/** One term of `metadata.name=web,status.phase!=Running`; all of them must hold. */
export interface FieldRequirement {
  field: string;
  operator: '=' | '!=';
  value: string;
}

export type FieldRequirements = readonly FieldRequirement[];

/** Parses the form of `kubectl --field-selector`. Throws SelectorError with Kubernetes' message. */
export function parseFieldSelector(text: string): FieldRequirements {
  return splitTerms(text)
    .filter((term) => term !== '')
    .sort()
    .map((term) => parseTerm(term, text));
}

/** `read` gives the value of a selectable field; whether the kind has it was checked before. */
export function matchesFields(
  requirements: FieldRequirements,
  read: (field: string) => string,
): boolean {
  return requirements.every(
    ({ field, operator, value }) => (read(field) === value) === (operator === '='),
  );
}

/** The value that the selector asks of the field, when it asks for exactly one: lets a watch look at one object only. */
export function requiredFieldValue(
  requirements: FieldRequirements,
  field: string,
): string | undefined {
  return requirements.find((term) => term.field === field && term.operator === '=')?.value;
}

export function formatFieldSelector(requirements: FieldRequirements): string {
  return requirements
    .map(({ field, operator, value }) => `${field}${operator}${escapeValue(value)}`)
    .join(',');
}

function parseTerm(term: string, selector: string): FieldRequirement {
  const parts = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
  if (parts === null) {
    throw new SelectorError(`invalid selector: '${selector}'; can't understand '${term}'`);
  }
  const [, field = '', operator = '', value = ''] = parts;
  return { field, operator: operator === '!=' ? '!=' : '=', value: unescapeValue(value) };
}

/** At commas that no backslash precedes. */
function splitTerms(text: string): string[] {
  return text === '' ? [] : (text.match(/(?:\\.|\\$|[^\\,])+/gs) ?? []);
}

function unescapeValue(value: string): string {
  let unescaped = '';
  for (let index = 0; index < value.length; index += 1) {
    const char = value[index] ?? '';
    if (char === ',' || char === '=') {
      // Kubernetes prints the character as its number.
      throw new SelectorError(
        `invalid field selector: unescaped character in value: ${char.charCodeAt(0)}`,
      );
    }
    if (char !== '\\') {
      unescaped += char;
      continue;
    }
    index += 1;
    const escaped = value[index];
    if (escaped !== '\\' && escaped !== ',' && escaped !== '=') {
      throw new SelectorError(
        `invalid field selector: invalid escape sequence: \\${escaped ?? ''}`,
      );
    }
    unescaped += escaped;
  }
  return unescaped;
}

function escapeValue(value: string): string {
  return value.replace(/[\\,=]/g, (char) => `\\${char}`);
}
