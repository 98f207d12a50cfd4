import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../shared/meta/kube-object.ts';
import { applyMergePatch } from './merge-patch.ts';

describe('a merge patch', () => {
  test('null deletes, objects merge, lists are replaced', () => {
    expect(
      applyMergePatch(
        { a: 1, b: { x: 1, y: 2 }, c: [1] },
        { a: null, b: { x: null, z: 3 }, c: [2] },
      ),
    ).toEqual({
      b: { y: 2, z: 3 },
      c: [2],
    });
  });

  test('nulls inside a new object are not stored', () => {
    expect(applyMergePatch({}, { a: { b: null, c: { d: null } } })).toEqual({ a: { c: {} } });
  });

  test('what is no object is 400', () => {
    expect(() => applyMergePatch({}, [])).toThrow(
      'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    );
  });

  test('applying any patch twice is applying it once', () => {
    const json = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(json, json, (object, patch) => {
        const once = applyMergePatch(object as JsonObject, patch as JsonObject);
        expect(applyMergePatch(once, patch as JsonObject)).toEqual(once);
      }),
    );
  });

  test('a key named __proto__ is a key', () => {
    const patched = applyMergePatch({}, JSON.parse('{"__proto__":{"x":1}}') as JsonObject);
    expect(JSON.stringify(patched)).toBe('{"__proto__":{"x":1}}');
  });
});
