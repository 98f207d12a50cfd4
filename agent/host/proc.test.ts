import { describe, expect, it } from 'vitest';
import { isAlive, parseProcessLimits, processIs, sendSignal } from './proc.ts';

it('reads the hard limits', () => {
  const text = [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max processes             96365                96365                processes ',
    'Max open files            1024                 unlimited            files     ',
  ].join('\n');
  expect(parseProcessLimits(text)).toEqual({
    openFilesHard: Number.POSITIVE_INFINITY,
    processesHard: 96_365,
  });
});

describe('a process', () => {
  it('is known by its pid and a word of its command line', () => {
    expect(isAlive(process.pid)).toBe(true);
    expect(processIs(process.pid, 'node')).toBe(true);
    expect(processIs(process.pid, 'something-else-entirely')).toBe(false);
  });

  it('that is gone is not alive and takes no signal', () => {
    const beyond = 4_194_305;
    expect(isAlive(beyond)).toBe(false);
    expect(sendSignal(beyond, 'SIGTERM')).toBe(false);
  });
});
