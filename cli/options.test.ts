import { expect, test } from 'vitest';
import { parseOptions } from './options.ts';

const OPTIONS = { 'data-dir': { type: 'string' }, 'node-name': { type: 'string' } } as const;
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
  expect(() => dataDir('--data-dri', 'x')).toThrow('did you mean --data-dir?');
});
