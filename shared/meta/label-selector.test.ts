import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatLabelSelector,
  formatRequirements,
  matchesLabels,
  parseLabelSelector,
  requirementsOf,
  SelectorError,
  selects,
  validateLabelSelector,
} from './label-selector.ts';

describe('the string form', () => {
  const labels = { app: 'web', tier: 'front', size: '12', empty: '' };
  it.each([
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app = web , tier=front', true],
    ['app!=web', false],
    ['missing!=x', true],
    ['app in (db, web)', true],
    ['app in (db)', false],
    ['app notin (db)', true],
    ['missing notin (db)', true],
    ['app', true],
    ['missing', false],
    ['!missing', true],
    ['! app', false],
    ['size>11', true],
    ['size<12', false],
    ['app>1', false],
    ['empty=', true],
    ['empty in ()', true],
    ['empty in (,a)', true],
    ['app=web,size>20', false],
    ['in=x', false],
  ])('%j: %s', (text, matches) => {
    expect(matchesLabels(parseLabelSelector(text), labels)).toBe(matches);
  });

  it.each([
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    ['a=b,', "found '', expected: identifier after ','"],
    ['=b', "found '=', expected: !, identifier, or 'end of string'"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    [
      'a>b',
      "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
    [
      '-a=b',
      `unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
    ],
  ])('%j is refused in Kubernetes words', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(new SelectorError(message));
  });

  it('comes back from what it was parsed to', () => {
    const word = fc
      .stringMatching(/^[a-z][a-z0-9]{0,5}$/)
      .filter((w) => w !== 'in' && w !== 'notin');
    const term = fc.oneof(
      fc.tuple(word, word).map(([key, value]) => `${key}=${value}`),
      fc
        .tuple(word, fc.uniqueArray(word, { minLength: 1 }))
        .map(([key, values]) => `${key} in (${values.sort().join(',')})`),
      word,
      word.map((key) => `!${key}`),
    );
    fc.assert(
      fc.property(fc.array(term), (terms) => {
        const text = terms.join(',');
        expect(formatRequirements(parseLabelSelector(text))).toBe(text);
      }),
    );
  });
});

describe('the object form', () => {
  it('selects nothing when there is none, everything when it is empty', () => {
    expect(selects(undefined, { a: 'b' })).toBe(false);
    expect(selects({}, { a: 'b' })).toBe(true);
    expect(requirementsOf(undefined)).toBeUndefined();
  });

  it('wants labels and expressions at once', () => {
    const selector = {
      matchLabels: { app: 'web' },
      matchExpressions: [{ key: 'tier', operator: 'In', values: ['b', 'a'] }],
    };
    expect(selects(selector, { app: 'web', tier: 'a' })).toBe(true);
    expect(selects(selector, { app: 'web' })).toBe(false);
    expect(formatLabelSelector(selector)).toBe('app=web,tier in (a,b)');
    expect(formatLabelSelector({})).toBe('<none>');
    expect(formatLabelSelector({ matchExpressions: [{ key: 'a', operator: 'Is' }] })).toBe(
      '<error>',
    );
  });

  it('is validated field by field', () => {
    const errors = validateLabelSelector(
      {
        matchLabels: { app: '-' },
        matchExpressions: [
          { key: 'a', operator: 'In' },
          { key: 'b', operator: 'Exists', values: ['x'] },
          { key: 'c', operator: 'Is' },
        ],
      },
      'spec.selector',
    );
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      `spec.selector.matchLabels: Invalid value: "-": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
      "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      'spec.selector.matchExpressions[2].operator: Invalid value: "Is": not a valid selector operator',
    ]);
  });
});
