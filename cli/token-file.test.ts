import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { forgetInstalledToken, readTokenFile } from './token-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'skerry-token-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode });
  return path;
}

test('the token is what the file holds, without white space', () => {
  expect(readTokenFile(file('good', ' a.b.c\n'), false)).toBe('a.b.c');
});

test('a device that has joined needs no file; one that has not is told what to do', () => {
  expect(readTokenFile(join(folder, 'gone'), true)).toBe('');
  expect(() => readTokenFile(join(folder, 'gone'), false)).toThrow(
    `the token file ${folder}/gone cannot be read: there is no such file; make a token with \`skerry token create\` on the master`,
  );
});

test('an empty file, and one that others may read, is refused', () => {
  expect(() => readTokenFile(file('empty', '\n'), false)).toThrow(/empty is empty$/);
  const open = file('open', 'a.b.c', 0o644);
  expect(() => readTokenFile(open, false)).toThrow(
    `others may read the token file ${open}: chmod 600 ${open}`,
  );
});

test('the file that install.sh made is removed once it has served, and no other', () => {
  const installed = file('installed', 'a.b.c');
  const own = file('own', 'a.b.c');
  const said: string[] = [];
  const warn = (message: string) => said.push(message);
  for (const path of [own, undefined, installed, installed])
    forgetInstalledToken(path, warn, installed);
  expect([existsSync(own), existsSync(installed)]).toEqual([true, false]);
  expect(said).toEqual([]);
  const stuck = join(folder, 'stuck');
  mkdirSync(stuck);
  forgetInstalledToken(stuck, warn, stuck);
  expect(said).toEqual([expect.stringMatching(/stuck holds a join token .* remove it$/)]);
});
