import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const MAIN = new URL('main.ts', import.meta.url).pathname;

function run(line: string) {
  const command = `exec "$0" --import tsx "$1" ${line}`;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command, process.execPath, MAIN]);
  return { status, told: stdout.toString(), said: stderr.toString() };
}

test('a word that is nearly a command is answered with that one, any other with where they are', () => {
  expect(run('statsu').said).toBe('skerry: unknown command "statsu"; did you mean status?\n');
  expect(run('xyz').said).toBe('skerry: unknown command "xyz"; `skerry help` lists them\n');
});

test.each(['-v', '--version', 'version'])('skerry %s prints the version', (word) => {
  expect(run(word)).toMatchObject({ status: 0, told: expect.stringMatching(/^skerry \d/) });
});

test('output that finds no space is one sentence, and failed', () => {
  const { status, said } = run('help >/dev/full');
  expect(said).toMatch(/^skerry: the output cannot be written: ENOSPC[^\n]*\n$/);
  expect(status).toBe(1);
});

test('a log that finds no space ends nothing', () => {
  expect(run('nothing-of-this-name 2>/dev/full').status).toBe(2);
});
