import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const MAIN = new URL('main.ts', import.meta.url).pathname;

function run(line: string) {
  const command = `exec "$0" --import tsx "$1" ${line}`;
  const { status, stderr } = spawnSync('sh', ['-c', command, process.execPath, MAIN]);
  return { status, said: stderr.toString() };
}

test('output that finds no space is one sentence, and failed', () => {
  const { status, said } = run('help >/dev/full');
  expect(said).toMatch(/^skerry: the output cannot be written: ENOSPC[^\n]*\n$/);
  expect(status).toBe(1);
});

test('a log that finds no space ends nothing', () => {
  expect(run('nothing-of-this-name 2>/dev/full').status).toBe(2);
});
