/**
 * One finding of a validation, in the words of Kubernetes' `field.Error` (apimachinery util/validation/field): `field` is the
 * path as users write it, `spec.containers[0].name`.
 */
export interface FieldError {
  type:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueDuplicate'
    | 'FieldValueNotSupported'
    | 'FieldValueForbidden'
    | 'FieldValueNotFound'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueTypeInvalid'
    | 'InternalError';
  field: string;
  /** The message without the field: `Required value: name is required`. */
  message: string;
}

/** A value as a message shows it; `goSyntax` is shown as it stands, for the values that Kubernetes prints as Go source. */
export type BadValue = string | number | boolean | null | undefined | { goSyntax: string };

export function fieldRequired(field: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field, message: withDetail('Required value', detail) };
}

export function fieldInvalid(field: string, value: BadValue, detail: string): FieldError {
  return {
    type: 'FieldValueInvalid',
    field,
    message: withDetail(`Invalid value: ${show(value)}`, detail),
  };
}

export function fieldDuplicate(field: string, value: BadValue, detail = ''): FieldError {
  return {
    type: 'FieldValueDuplicate',
    field,
    message: withDetail(`Duplicate value: ${show(value)}`, detail),
  };
}

/** `supported` is listed in the order given; Kubernetes sorts it where the list comes from a set. */
export function fieldNotSupported(
  field: string,
  value: BadValue,
  supported: readonly string[],
): FieldError {
  const list = supported.map(goQuote).join(', ');
  return {
    type: 'FieldValueNotSupported',
    field,
    message: withDetail(
      `Unsupported value: ${show(value)}`,
      list === '' ? '' : `supported values: ${list}`,
    ),
  };
}

export function fieldForbidden(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, message: withDetail('Forbidden', detail) };
}

export function fieldNotFound(field: string, value: BadValue): FieldError {
  return { type: 'FieldValueNotFound', field, message: `Not found: ${show(value)}` };
}

/** The value itself is left out: it is long. */
export function fieldTooLong(field: string, maxBytes: number): FieldError {
  return {
    type: 'FieldValueTooLong',
    field,
    message: `Too long: may not be more than ${maxBytes} bytes`,
  };
}

export function fieldTooMany(field: string, actual: number, max: number): FieldError {
  return {
    type: 'FieldValueTooMany',
    field,
    message: `Too many: ${actual}: must have at most ${max} items`,
  };
}

/** One Invalid per message, as the checks of names.ts give them. */
export function fieldInvalidEach(
  field: string,
  value: BadValue,
  messages: readonly string[],
): FieldError[] {
  return messages.map((message) => fieldInvalid(field, value, message));
}

/** Required when the value is empty, NotSupported when it is none of `supported`. */
export function validateEnum(
  field: string,
  value: string | undefined,
  supported: readonly string[],
): FieldError[] {
  if (value === undefined || value === '') return [fieldRequired(field)];
  return supported.includes(value) ? [] : [fieldNotSupported(field, value, supported)];
}

export function validateNonNegative(field: string, value: number | undefined): FieldError[] {
  if (value === undefined || value >= 0) return [];
  return [fieldInvalid(field, value, 'must be greater than or equal to 0')];
}

/** A string as Go's %q prints it. */
export function goQuote(text: string): string {
  let quoted = '"';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const escaped = GO_ESCAPES[char];
    if (escaped !== undefined) quoted += escaped;
    else if (code < 0x20 || code === 0x7f) quoted += `\\x${code.toString(16).padStart(2, '0')}`;
    else quoted += char;
  }
  return `${quoted}"`;
}

/** `map[string]string{"a":"b"}`, keys sorted, as Go's %#v prints a map of strings. */
export function goStringMap(map: Readonly<Record<string, string>> | undefined): string {
  if (map === undefined) return 'map[string]string(nil)';
  const entries = Object.keys(map)
    .sort()
    .map((key) => `${goQuote(key)}:${goQuote(map[key] ?? '')}`);
  return `map[string]string{${entries.join(', ')}}`;
}

/** `[]string{"a", "b"}`, as Go's %#v prints a slice of strings. */
export function goStringSlice(items: readonly string[] | undefined): string {
  return items === undefined ? '[]string(nil)' : `[]string{${items.map(goQuote).join(', ')}}`;
}

const GO_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
};

function show(value: BadValue): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'object') return value.goSyntax;
  return String(value);
}

function withDetail(head: string, detail: string): string {
  return detail === '' ? head : `${head}: ${detail}`;
}
