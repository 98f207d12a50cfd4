import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findDuplicateKeys, parseJsonText } from './go-json-text.ts';

describe('duplicate keys', () => {
  test('are found at any depth, with the path that Kubernetes prints', () => {
    expect(findDuplicateKeys('{"a":1,"b":[{"c":1},{"c":1,"c":2}],"a":{"d":1}}')).toEqual([
      'b[1].c',
      'a',
    ]);
    expect(findDuplicateKeys('{"a":1,"\\u0061":2}')).toEqual(['a']);
    expect(findDuplicateKeys('[{"a":1},{"a":1}]')).toEqual([]);
  });

  test('no JSON that a program wrote has any', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        expect(findDuplicateKeys(JSON.stringify(value, undefined, indent))).toEqual([]);
      }),
    );
  });
});

describe('bad syntax', () => {
  test.each([
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{"a":tru}', "invalid character '}' in literal true (expecting 'e')"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['<html>', "invalid character '<' looking for beginning of value"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['{"a":"b', 'unexpected end of JSON input'],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['-', 'unexpected end of JSON input'],
  ])('%s: %s', (text, message) => {
    expect(() => findDuplicateKeys(text)).toThrow(message);
  });

  test('deep nesting is refused without using the stack', () => {
    expect(() => findDuplicateKeys('['.repeat(1_000_000))).toThrow('exceeded max depth');
  });

  test('a value is parsed unless it is nested too deep', () => {
    const flat = `[${'{},'.repeat(5000)}{}]`;
    expect(parseJsonText(flat)).toHaveLength(5001);
    expect(() => parseJsonText(`${'['.repeat(2000)}${']'.repeat(2000)}`)).toThrow(
      'exceeded max depth',
    );
    expect(() => parseJsonText('{"a"')).toThrow('unexpected end of JSON input');
  });

  test('a text is refused when JSON.parse refuses it, and only then', () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'{}[]",:0123e.-truefalsn \\u\n') }),
      fc.json(),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        expect(accepts(() => findDuplicateKeys(candidate))).toBe(
          accepts(() => JSON.parse(candidate)),
        );
      }),
      { numRuns: 2000 },
    );
  });

  function accepts(parse: () => unknown): boolean {
    try {
      parse();
      return true;
    } catch {
      return false;
    }
  }
});
