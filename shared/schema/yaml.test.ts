import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../meta/kube-object.ts';
import { parseYaml, parseYamlDocuments, parseYamlObject, printYaml } from './yaml.ts';

describe('YAML', () => {
  test('is 1.1 as Kubernetes reads it', () => {
    const text =
      'a: yes\nb: 0777\nc: 1_000\nd: ~\ne: &x {k: 1}\nf: {<<: *x, l: 2}\ng: 2026-01-02\nh: 80:8080\n80: 1\n';
    expect(parseYaml(text)).toEqual({
      a: true,
      b: 511,
      c: 1000,
      d: null,
      e: { k: 1 },
      f: { k: 1, l: 2 },
      g: '2026-01-02',
      h: '80:8080',
      '80': 1,
    });
  });

  test('a stream has several documents, empty ones do not count', () => {
    expect(parseYamlDocuments('---\na: 1\n---\n# nothing\n---\nb: 2\n')).toEqual([
      { a: 1 },
      { b: 2 },
    ]);
  });

  test('duplicate keys are found with their lines, and the last one counts', () => {
    expect(parseYamlObject('a: 1\nb:\n  c: 1\n  c: 2\n')).toEqual({
      value: { a: 1, b: { c: 2 } },
      duplicates: ['yaml: unmarshal errors:\n  line 4: key "c" already set in map'],
    });
  });

  test.each<[string, () => string, string]>([
    ['an open list', () => 'a: [1\nb: 2', 'yaml: line'],
    ['deep nesting', () => '['.repeat(100_000), 'exceeded max depth'],
    ['deep nesting in pairs', () => '{a: '.repeat(100_000), 'exceeded max depth'],
    ['deep nesting in a line', () => '- '.repeat(100_000), 'exceeded max depth'],
    ['deep nesting behind anchors', () => '- &a '.repeat(100_000), 'exceeded max depth'],
    ['deep nesting of keys', () => '? '.repeat(100_000), 'exceeded max depth'],
    ['deep nesting by indentation', stairs, 'exceeded max depth'],
    ['an alias bomb', aliasBomb, 'alias'],
    ['a large document', () => 'x'.repeat(4 * 1024 * 1024), 'longer than'],
    ['infinity', () => 'a: .inf', 'not a number in JSON'],
  ])('%s is an error', (_, text, message) => {
    expect(() => parseYaml(text())).toThrow(message);
  });

  function stairs(): string {
    return Array.from({ length: 2000 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('');
  }

  test('many lists side by side and long indented text are fine', () => {
    const lists = Array.from({ length: 2000 }, () => '- [a, {b: c}]\n').join('');
    expect(parseYaml(`${lists}- |\n  x\n${' '.repeat(800)}y\n`)).toHaveLength(2001);
  });

  function aliasBomb(): string {
    const level = (name: string, of: string) => `${name}: &${name} [${`*${of},`.repeat(9)}]\n`;
    return `a: &a [x]\n${[...'bcdefgh'].map((name, i) => level(name, 'abcdefg'[i] ?? '')).join('')}`;
  }

  test('what is printed reads back as it was', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('yes', '0777', '1:30', '2026-01-02', '~', '1e3', ''),
    );
    const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        text,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value')),
        fc
          .dictionary(fc.string(), tie('value'))
          .filter((object) => !Object.hasOwn(object, '__proto__')),
      ),
    }));
    fc.assert(
      fc.property(value, (original) => {
        expect(parseYaml(printYaml(original))).toEqual(original);
      }),
    );
  });
});
