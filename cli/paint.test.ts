import { expect, test } from 'vitest';
import { Paint } from './paint.ts';

const terminal = { isTTY: true };

test('a terminal gets colours', () => {
  expect(new Paint(terminal, { TERM: 'xterm' }).red('error')).toBe('\u001b[31merror\u001b[0m');
});

test.each([
  ['a pipe', {}, { TERM: 'xterm' }],
  ['NO_COLOR', terminal, { NO_COLOR: '1' }],
  ['a dumb terminal', terminal, { TERM: 'dumb' }],
])('%s gets plain text', (_what, output, environment) => {
  expect(new Paint(output, environment).red('error')).toBe('error');
});
