import { expect, test } from 'vitest';
import { formatToWrite, STATE_FORMAT } from './state-format.ts';

test('a folder without a form, or of an older one, becomes one of this form', () => {
  expect(formatToWrite(undefined, '/d', '1.2.3')).toBe(`${STATE_FORMAT} 1.2.3\n`);
  expect(formatToWrite('0 0.0.1\n', '/d', '1.2.3')).toBe(`${STATE_FORMAT} 1.2.3\n`);
});

test('a folder of this form is left as it is, whichever release wrote it', () => {
  expect(formatToWrite(`${STATE_FORMAT} 9.9.9\n`, '/d', '1.2.3')).toBeUndefined();
});

test('a folder of a newer form is refused, and its release named', () => {
  const newer = `${STATE_FORMAT + 1} 2.0.0\n`;
  expect(() => formatToWrite(newer, '/d', '1.2.3')).toThrow(/^\/d was written by release 2\.0\.0/);
});

test.each([
  '',
  '\n',
  'garbage',
  '1',
  '-1 1.0.0',
  '1.5 1.0.0',
  '0x1 1.0.0',
  '\0\0\0',
  '1 1.0.0 2\n',
])('a file that says %j is damaged, and the folder is not touched', (text) => {
  expect(() => formatToWrite(text, '/d', '1.2.3')).toThrow(/^\/d\/format is damaged/);
});
