import { expect, test } from 'vitest';
import { readNamedTargets, readTargets } from './targets.ts';

const [POD_A, POD_B] = [
  { kind: 'pod', name: 'a' },
  { kind: 'pod', name: 'b' },
];

test.each([
  [['pods'], [{ kind: 'pods' }]],
  [['deploy,svc'], [{ kind: 'deploy' }, { kind: 'svc' }]],
  [
    ['pod', 'a', 'b'],
    [POD_A, POD_B],
  ],
  [
    ['pod/a', 'deployment.apps/web'],
    [POD_A, { kind: 'deployment.apps', name: 'web' }],
  ],
])('%j are read as kubectl reads them', (words, targets) => {
  expect(readTargets(words)).toEqual(targets);
});

test.each([
  [['pod', 'pod/a'], '"pod": expected KIND/NAME'],
  [['pod', '../a'], '"pod": expected KIND/NAME'],
  [['pod/a/b'], '"pod/a/b": expected KIND/NAME'],
  [['pod/'], '"pod/": expected KIND/NAME'],
  [['pod,svc', 'a'], 'pod,svc a: names are of one kind; those of several are told as pod/a'],
])('%j are refused', (words, sentence) => {
  expect(() => readTargets(words)).toThrow(sentence);
  expect(() => readTargets(words)).toThrow(expect.objectContaining({ exitCode: 2 }));
});

test('a kind without a name is no object', () => {
  expect(readNamedTargets(['pod/a', 'pod/b'])).toEqual([POD_A, POD_B]);
  expect(readNamedTargets(['pod'])).toBeUndefined();
  expect(readNamedTargets([])).toBeUndefined();
});
