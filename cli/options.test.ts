import { expect, test } from 'vitest';
import { CommandFailure } from './command-failure.ts';
import { parseOptions } from './options.ts';

const OPTIONS = {
  'data-dir': { type: 'string' },
  'node-name': { type: 'string', short: 'n' },
  all: { type: 'boolean' },
} as const;
const dataDir = (...args: string[]) => parseOptions(args, OPTIONS, { max: 0 }).values['data-dir'];

test('a relative --data-dir is one of the folder where the command is given', () => {
  expect(dataDir('--data-dir', 'data')).toBe(`${process.cwd()}/data`);
  expect(dataDir('--data-dir=/srv/data/')).toBe('/srv/data');
  expect(dataDir()).toBeUndefined();
});

test('an option that does not exist is named', () => {
  expect(() => dataDir('--bogus')).toThrow("Unknown option '--bogus'; --help shows the options");
});

test('an option that is nearly one is answered with that one', () => {
  expect(() => dataDir('--data-dri', 'x')).toThrow(
    /^Unknown option '--data-dri'; did you mean --data-dir\?$/,
  );
});

test.each([
  [
    ['--data-dir', '-1'],
    '--data-dir: expected a value; one that begins with - is written --data-dir=-1',
  ],
  [['-n', '-1'], '--node-name: expected a value; one that begins with - is written --node-name=-1'],
  [['--data-dir'], '--data-dir: expected a value; --help shows the options'],
  [['--all=yes'], '--all: expected no value; --help shows the options'],
])('%j is one sentence', (args, sentence) => {
  expect(() => dataDir(...args)).toThrow(new CommandFailure(sentence, 2));
});
