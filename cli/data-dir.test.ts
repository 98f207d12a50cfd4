import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataDir } from './data-dir.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'skerry-data-dir-'));
});
afterEach(() => rmSync(root, { recursive: true }));

test('a program has its part for itself, in a data directory that another user may enter', async () => {
  await openDataDir(join(root, 'a/b'), 'master');
  const mode = (folder: string) => statSync(join(root, folder)).mode & 0o777;
  expect(['a', 'a/b', 'a/b/master'].map(mode)).toEqual([0o755, 0o755, 0o700]);
  await openDataDir(join(root, 'a/b'), 'master');
});

test.each(['file', 'file/below'])(
  'a file in the place of %s is said in one sentence',
  async (path) => {
    writeFileSync(join(root, 'file'), '');
    const dataDir = join(root, path);
    await expect(openDataDir(dataDir, 'agent')).rejects.toThrow(
      `the data directory ${dataDir} cannot be used: a file is in its place; choose another with --data-dir`,
    );
  },
);

test('a file system that takes no files is said in one sentence', async () => {
  await expect(openDataDir('/proc/skerry', 'master')).rejects.toThrow(
    /^the data directory \/proc\/skerry cannot be used: .*; choose another with --data-dir$/,
  );
});
