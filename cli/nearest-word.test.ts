import { expect, test } from 'vitest';
import { nearestWord, suggestion } from './nearest-word.ts';

const COMMANDS = ['up', 'master', 'agent', 'token', 'apply', 'get', 'status', 'describe', 'delete'];

test.each([
  ['statsu', 'status'],
  ['aplly', 'apply'],
  ['desc', 'describe'],
  ['delte', 'delete'],
  ['gte', 'get'],
  ['Master', 'master'],
  ['STATUS', 'status'],
  ['DESC', 'describe'],
])('%s was meant to be %s', (word, meant) => {
  expect(nearestWord(word, COMMANDS)).toBe(meant);
});

test('nothing is suggested for what is like nothing', () => {
  expect(nearestWord('frobnicate', COMMANDS)).toBeUndefined();
  expect(suggestion('xyz', COMMANDS)).toBe('');
  expect(suggestion('stauts', COMMANDS)).toBe('; did you mean status?');
});
