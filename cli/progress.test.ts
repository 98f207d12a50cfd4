import { expect, test } from 'vitest';
import { Progress } from './progress.ts';

function written(isTTY: boolean, TERM: string): string[] {
  const texts: string[] = [];
  const output = { isTTY, write: (text: string) => texts.push(text) > 0 };
  const progress = new Progress(output as never, { TERM });
  progress.show('1 of 2');
  progress.show('1 of 2');
  progress.show('2 of 2');
  progress.clear();
  return texts;
}

test('on a terminal each state takes the place of the one before, and the last is cleared', () => {
  expect(written(true, 'xterm')).toEqual(['\r\u001b[K1 of 2', '\r\u001b[K2 of 2', '\r\u001b[K']);
});

test.each([
  ['a pipe', false, 'xterm'],
  ['a terminal that writes nothing over', true, 'dumb'],
])('%s gets nothing', (_what, isTTY, term) => {
  expect(written(isTTY, term)).toEqual([]);
});
