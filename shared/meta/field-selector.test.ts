import { describe, expect, it } from 'vitest';
import {
  formatFieldSelector,
  matchesFields,
  parseFieldSelector,
  requiredFieldValue,
} from './field-selector.ts';
import { SelectorError } from './label-selector.ts';

describe('a field selector', () => {
  const fields: Record<string, string> = { 'metadata.name': 'web', 'status.phase': 'Running' };
  it.each([
    ['', true],
    ['metadata.name=web', true],
    ['metadata.name==web,status.phase!=Failed', true],
    ['metadata.name!=web', false],
    ['metadata.name=', false],
    ['metadata.name=web,', true],
  ])('%j: %s', (text, matches) => {
    expect(matchesFields(parseFieldSelector(text), (field) => fields[field] ?? '')).toBe(matches);
  });

  it.each([
    ['metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
    ['a=\\x', 'invalid field selector: invalid escape sequence: \\x'],
  ])('%j is refused', (text, message) => {
    expect(() => parseFieldSelector(text)).toThrow(new SelectorError(message));
  });

  it('escapes commas and equals signs in values', () => {
    const terms = parseFieldSelector('a=b\\,c\\=d');
    expect(terms).toEqual([{ field: 'a', operator: '=', value: 'b,c=d' }]);
    expect(formatFieldSelector(terms)).toBe('a=b\\,c\\=d');
  });

  it('says which single value it wants of a field', () => {
    const terms = parseFieldSelector('metadata.name=web,status.phase!=Failed');
    expect(requiredFieldValue(terms, 'metadata.name')).toBe('web');
    expect(requiredFieldValue(terms, 'status.phase')).toBeUndefined();
  });
});
