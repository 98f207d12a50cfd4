import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../shared/meta/kube-object.ts';
import { applyJsonPatch } from './json-patch.ts';

const patch = (current: JsonObject, ...operations: JsonObject[]): JsonObject =>
  applyJsonPatch(current, operations);

describe('a JSON patch', () => {
  test('adds, replaces, removes, moves and copies', () => {
    expect(patch({ a: [1, 3] }, { op: 'add', path: '/a/1', value: 2 })).toEqual({ a: [1, 2, 3] });
    expect(patch({ a: [1] }, { op: 'add', path: '/a/-', value: 2 })).toEqual({ a: [1, 2] });
    expect(patch({ a: 1 }, { op: 'replace', path: '/a', value: null })).toEqual({ a: null });
    expect(patch({ a: [1, 2] }, { op: 'remove', path: '/a/-1' })).toEqual({ a: [1] });
    expect(patch({ a: 1 }, { op: 'move', from: '/a', path: '/b' })).toEqual({ b: 1 });
    expect(patch({ a: { x: 1 } }, { op: 'copy', from: '/a', path: '/b' })).toEqual({
      a: { x: 1 },
      b: { x: 1 },
    });
  });

  test('reads ~1 and ~0 in pointers', () => {
    expect(patch({ 'a/b': { '~': 1 } }, { op: 'replace', path: '/a~1b/~0', value: 2 })).toEqual({
      'a/b': { '~': 2 },
    });
  });

  test('a test that fails is 422, a test of a missing field against null passes', () => {
    expect(() => patch({ a: 1 }, { op: 'test', path: '/a', value: 2 })).toThrow(
      expect.objectContaining({
        code: 422,
        message: 'the server rejected our request due to an error in our request',
        cause: 'testing value /a failed: test failed',
      }),
    );
    expect(patch({}, { op: 'test', path: '/a', value: null })).toEqual({});
  });

  test('replaces a field that is missing, as the library of Kubernetes does', () => {
    expect(patch({}, { op: 'replace', path: '/a', value: 1 })).toEqual({ a: 1 });
  });

  test.each([
    [{ op: 'remove', path: '/x' }],
    [{ op: 'replace', path: '/x/y', value: 1 }],
    [{ op: 'replace', path: '/a/7', value: 1 }],
    [{ op: 'add' }],
    [{ op: 'add', path: '/x/y', value: 1 }],
    [{ op: 'add', path: '/a/7', value: 1 }],
    [{ op: 'move', from: '/a', path: '/a/0' }],
    [{ op: 'frobnicate', path: '/a' }],
    [{ op: 'add', path: '', value: 1 }],
  ])('%o does not apply', (operation) => {
    expect(() => patch({ a: [1] }, operation)).toThrow(expect.objectContaining({ code: 422 }));
  });

  test('what is no list of operations is 400', () => {
    expect(() => applyJsonPatch({}, { op: 'add' })).toThrow(expect.objectContaining({ code: 400 }));
    expect(() => applyJsonPatch({}, [1])).toThrow(expect.objectContaining({ code: 400 }));
  });

  test('a short patch cannot copy its way to a huge object', () => {
    const doubling = Array.from({ length: 40 }, (_, index) => ({
      op: 'copy',
      from: '',
      path: `/x${index}`,
    }));
    expect(() => applyJsonPatch({ seed: 'x'.repeat(100) }, doubling)).toThrow(
      expect.objectContaining({ code: 422 }),
    );
  });

  test('adding any value at any key and removing it gives the object back, untouched', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.string(),
        fc.jsonValue(),
        (object, key, value) => {
          fc.pre(!Object.hasOwn(object, key));
          const current = object as JsonObject;
          const before = structuredClone(current);
          const path = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
          const added = patch(current, { op: 'add', path, value: value as JsonValue });
          expect(Object.hasOwn(added, key)).toBe(true);
          expect(patch(added, { op: 'remove', path })).toEqual(before);
          expect(current).toEqual(before);
        },
      ),
    );
  });
});
