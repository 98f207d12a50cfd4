import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { criLines, criTime, MAX_LINE_BYTES } from './cri-log.ts';

function linesOf(text: string, last = false) {
  const { lines, consumedBytes } = criLines(Buffer.from(text), 'T', 'stdout', last);
  return { lines: Buffer.from(lines).toString(), consumedBytes };
}

describe('criLines', () => {
  it('a line is complete at its newline, and waits for it', () => {
    expect(linesOf('a\n\nb')).toEqual({ lines: 'T stdout F a\nT stdout F \n', consumedBytes: 3 });
  });

  it('the last words without a newline are a part', () => {
    expect(linesOf('a\nb', true)).toEqual({
      lines: 'T stdout F a\nT stdout P b\n',
      consumedBytes: 3,
    });
  });

  it('a long line is written in parts, of which the last is full', () => {
    const { lines } = linesOf(`${'x'.repeat(MAX_LINE_BYTES + 5)}\n`);
    expect(lines.split('\n').map((line) => line.slice(0, 10))).toEqual([
      'T stdout P',
      'T stdout F',
      '',
    ]);
  });

  it('however output arrives, no byte is lost or repeated', () => {
    const output = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 200 });
    fc.assert(
      fc.property(output, fc.array(fc.nat(200)), (text, cuts) => {
        let taken = 0;
        let log = '';
        for (const cut of [...cuts.sort((a, b) => a - b), text.length]) {
          const { lines, consumedBytes } = linesOf(text.slice(taken, Math.max(cut, taken)));
          taken += consumedBytes;
          log += lines;
        }
        log += linesOf(text.slice(taken), true).lines;
        const back = log
          .split('\n')
          .slice(0, -1)
          .map((line) => line.slice('T stdout F '.length) + (line.includes(' F ') ? '\n' : ''));
        expect(back.join('')).toBe(text);
      }),
    );
  });
});

it('times have nine digits', () => {
  expect(criTime(1_795_225_212_697)).toBe('2026-11-21T01:40:12.697000000Z');
});
