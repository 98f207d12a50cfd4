import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FolderLock, FolderLocked } from './folder-lock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a folder is held by one process at a time, under whatever path, and freed by kill -9', async () => {
  const holder = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { createServer } from 'node:net';
       createServer().listen(process.argv[1] + '/lock-' + process.pid + '-00ff', () => console.log('held'));`,
      folder,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  await expect(FolderLock.take(`${folder}/../${folder.split('/').at(-1)}`)).rejects.toThrow(
    FolderLocked,
  );

  const ended = new Promise((resolve) => holder.once('exit', resolve));
  holder.kill('SIGKILL');
  await ended;
  expect(readdirSync(folder)).toEqual([`lock-${holder.pid}-00ff`]);
  const lock = await FolderLock.take(folder);
  expect(readdirSync(folder)).toEqual([
    expect.stringMatching(new RegExp(`^lock-${process.pid}-[0-9a-f]{12}$`)),
  ]);
  await expect(FolderLock.take(folder)).rejects.toThrow(`already uses ${folder}`);
  await lock.release();
  expect(readdirSync(folder)).toEqual([]);
  await (await FolderLock.take(folder)).release();
});

test('no name outside the folder is the lock: whoever may not write there cannot take it', async () => {
  const { dev, ino } = statSync(folder, { bigint: true });
  const stranger = createServer();
  await new Promise<void>((resolve) => stranger.listen(`\0skerry-lock-${dev}-${ino}`, resolve));
  await (await FolderLock.take(folder)).release();
  stranger.close();
});

test('a folder whose path is longer than that of a socket can be is held as any other', async () => {
  const deep = join(folder, 'x'.repeat(100), 'y'.repeat(100));
  mkdirSync(deep, { recursive: true });
  const lock = await FolderLock.take(deep);
  await expect(FolderLock.take(deep)).rejects.toThrow(FolderLocked);
  await lock.release();
  expect(readdirSync(deep)).toEqual([]);
});

test('of many that start at once at most one has the folder', async () => {
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => FolderLock.take(folder)));
  const locks = all.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  expect(locks.length).toBeLessThanOrEqual(1);
  await Promise.all(locks.map((lock) => lock.release()));
  await (await FolderLock.take(folder)).release();
});
