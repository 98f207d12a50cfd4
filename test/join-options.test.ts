import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const INSTALL = new URL('../install.sh', import.meta.url).pathname;
const TOKEN = `abcdef.0123456789abcdef.${'0'.repeat(64)}`;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-join-options-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a dry run says would fail, and what it says on standard error. */
function dryRun(options: Readonly<Record<string, string>>): { failing: string; said: string } {
  const given = { server: 'https://192.0.2.1:6443', token: TOKEN, ...options };
  const flags = Object.entries(given).map(([name, value]) => `--${name}=${value}`);
  const { stdout, stderr } = spawnSync(
    'sh',
    [INSTALL, 'agent', '--dry-run', '--root', folder, '--archive', '/nonexistent', ...flags],
    { encoding: 'utf8' },
  );
  const lines = stdout.split('\n').filter((line) => line.includes('would fail: '));
  return {
    failing: lines.filter((line) => !line.includes('/nonexistent')).join('\n'),
    said: stderr,
  };
}

it.each([
  ['a token between blanks', { token: ` ${TOKEN}\t` }],
  ['a server with a slash', { server: 'https://hub:6443/' }],
  ['a server by an IPv6 address', { server: 'https://[fd00::1]:6443' }],
  ['a name with dots', { 'node-name': 'pi-3.shed' }],
])('%s is taken', (_what, options) => {
  expect(dryRun(options)).toEqual({ failing: '', said: '' });
});

it.each([
  ['a token in two pieces', { token: TOKEN.replace('.', ' ') }, /the token is malformed/],
  ['a server with a blank', { server: 'https://h ub:6443' }, /expected https:\/\/HOST:PORT/],
  ['a port that is none', { server: 'https://hub:66000' }, /expected https:\/\/HOST:PORT/],
  ['a server without a host', { server: 'https://:6443' }, /expected https:\/\/HOST:PORT/],
  ['a port of letters', { server: 'https://hub:https' }, /expected https:\/\/HOST:PORT/],
  ['capitals in a name', { 'node-name': 'Pi' }, /--node-name Pi: expected lower case letters/],
  ['a name that ends in a dash', { 'node-name': 'pi-' }, /--node-name pi-: expected/],
  ['an empty part of a name', { 'node-name': 'pi..shed' }, /--node-name pi..shed: expected/],
  ['a name that is too long', { 'node-name': 'p'.repeat(254) }, /--node-name p+: expected/],
])('%s is refused before anything is changed', (_what, options, sentence) => {
  expect(dryRun(options).failing).toMatch(sentence);
});

it.each(['0', '', '99999999999999999999'])('a time limit of "%s" is refused', (timeout) => {
  const refusal = /^install\.sh: --timeout \S*: expected a number of seconds[^\n]*\n$/;
  if (timeout === '') expect(dryRun({ timeout }).said).toBe('');
  else expect(dryRun({ timeout }).said).toMatch(refusal);
});

it('a token file may come from Windows; a folder is none', () => {
  const file = join(folder, 'token');
  writeFileSync(file, `${TOKEN}\r\n`, { mode: 0o600 });
  expect(dryRun({ 'token-file': file, token: '' })).toEqual({ failing: '', said: '' });
  expect(dryRun({ 'token-file': folder, token: '' }).failing).toMatch(
    /--token-file \S+ cannot be read/,
  );
});
