import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fixMemoryController } from './preflight.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-preflight-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the memory controller is turned on in the file that the machine boots with, and the file as it was is kept', async () => {
  const path = join(folder, 'cmdline.txt');
  writeFileSync(path, 'console=tty1 rootwait\n');
  const edit = await fixMemoryController([join(folder, 'firmware/cmdline.txt'), path]);
  expect(edit).toEqual({ path, backup: `${path}.before-skerry` });
  expect(readFileSync(path, 'utf8')).toBe(
    'console=tty1 rootwait cgroup_enable=memory cgroup_memory=1\n',
  );
  expect(readFileSync(`${path}.before-skerry`, 'utf8')).toBe('console=tty1 rootwait\n');
  expect(await fixMemoryController([path])).toBeUndefined();
});

test('a backup that is there stays', async () => {
  const path = join(folder, 'cmdline.txt');
  writeFileSync(path, 'edited by hand\n');
  writeFileSync(`${path}.before-skerry`, 'the oldest\n');
  await fixMemoryController([path]);
  expect(readFileSync(`${path}.before-skerry`, 'utf8')).toBe('the oldest\n');
});

test('a machine without such a file is left alone', async () => {
  expect(await fixMemoryController([join(folder, 'none')])).toBeUndefined();
});
