import { expect, test } from 'vitest';
import { formatToWrite, STATE_FORMAT } from './state-format.ts';

test('a folder without a form, or of an older one, becomes one of this form', () => {
  expect(formatToWrite(undefined, '/d', '1.2.3')).toBe(`${STATE_FORMAT} 1.2.3\n`);
  expect(formatToWrite('0 0.0.1\n', '/d', '1.2.3')).toBe(`${STATE_FORMAT} 1.2.3\n`);
});

test('a folder of this form is left as it is, whichever release wrote it', () => {
  expect(formatToWrite(`${STATE_FORMAT} 9.9.9\n`, '/d', '1.2.3')).toBeUndefined();
});

test('a folder of a newer form, or of none that can be read, is refused and its release named', () => {
  const newer = `${STATE_FORMAT + 1} 2.0.0\n`;
  expect(() => formatToWrite(newer, '/d', '1.2.3')).toThrow(/^\/d was written by release 2\.0\.0/);
  expect(() => formatToWrite('garbage', '/d', '1.2.3')).toThrow('cannot read');
});
