import { describe, expect, it } from 'vitest';
import {
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotFound,
  fieldNotSupported,
  fieldRequired,
  fieldTooLong,
  fieldTooMany,
  goQuote,
  goStringMap,
  goStringSlice,
  validateEnum,
} from './field-error.ts';

describe('a finding is worded as Kubernetes words it', () => {
  it.each([
    [fieldRequired('a'), 'Required value'],
    [fieldRequired('a', 'why'), 'Required value: why'],
    [fieldInvalid('a', 'x', 'must be y'), 'Invalid value: "x": must be y'],
    [fieldInvalid('a', 5, 'must be y'), 'Invalid value: 5: must be y'],
    [fieldInvalid('a', null, 'must be y'), 'Invalid value: null: must be y'],
    [fieldInvalid('a', { goSyntax: 'T{}' }, 'no'), 'Invalid value: T{}: no'],
    [fieldDuplicate('a', 'x'), 'Duplicate value: "x"'],
    [fieldNotSupported('a', 'x', ['A', 'B']), 'Unsupported value: "x": supported values: "A", "B"'],
    [fieldForbidden('a', 'no'), 'Forbidden: no'],
    [fieldNotFound('a', 'x'), 'Not found: "x"'],
    [fieldTooLong('a', 7), 'Too long: may not be more than 7 bytes'],
    [fieldTooMany('a', 3, 2), 'Too many: 3: must have at most 2 items'],
  ])('%o', (error, message) => {
    expect(error.message).toBe(message);
  });

  it('and an enum is required or not supported', () => {
    expect(validateEnum('a', undefined, ['A'])).toEqual([fieldRequired('a')]);
    expect(validateEnum('a', 'A', ['A'])).toEqual([]);
    expect(validateEnum('a', 'B', ['A'])).toEqual([fieldNotSupported('a', 'B', ['A'])]);
  });

  it('with values in Go syntax', () => {
    expect(goQuote('a"b\n\u0001')).toBe('"a\\"b\\n\\x01"');
    expect(goStringMap({ b: '2', a: '1' })).toBe('map[string]string{"a":"1", "b":"2"}');
    expect(goStringMap(undefined)).toBe('map[string]string(nil)');
    expect(goStringSlice(['a', 'b'])).toBe('[]string{"a", "b"}');
  });
});
