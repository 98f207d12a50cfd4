import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FolderLock, FolderLocked } from './folder-lock.ts';

test('a folder is held by one process at a time, under whatever path, and freed by kill -9', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-lock-'));
  const holder = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { createServer } from 'node:net'; import { statSync } from 'node:fs';
       const { dev, ino } = statSync(process.argv[1], { bigint: true });
       createServer().listen({ path: '\\0skerry-lock-' + dev + '-' + ino }, () => console.log('held'));`,
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
  const lock = await FolderLock.take(folder);
  await expect(FolderLock.take(folder)).rejects.toThrow(`already uses ${folder}`);
  await lock.release();
  await (await FolderLock.take(folder)).release();
  rmSync(folder, { recursive: true });
});
