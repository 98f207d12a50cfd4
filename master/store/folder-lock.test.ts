import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { lockFolder } from './folder-lock.ts';

it('a folder has one holder, whatever name it goes by', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-lock-'));
  const lock = await lockFolder(folder);
  await expect(lockFolder(`${folder}/../${folder.split('/').at(-1)}`)).rejects.toThrow(
    'is in use by another process of skerry',
  );
  await lock.release();
  await (await lockFolder(folder)).release();
  await rm(folder, { recursive: true });
});

it('no name outside the folder is the lock: whoever may not write there cannot take it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-lock-'));
  const { dev, ino } = await stat(folder, { bigint: true });
  const stranger = createServer();
  await new Promise<void>((resolve) => stranger.listen(`\0skerry-lock-${dev}-${ino}`, resolve));
  await (await lockFolder(folder)).release();
  expect(await readdir(folder)).toEqual([]);
  stranger.close();
  await rm(folder, { recursive: true });
});

it('the lock of a process that was killed is free, and a lock keeps no process alive', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-lock-'));
  const module = new URL('./folder-lock.ts', import.meta.url).href;
  const program = `import { lockFolder } from '${module}'; await lockFolder('${folder}');`;
  const run = (body: string) =>
    promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      program + body,
    ]);
  await expect(run("process.kill(process.pid, 'SIGKILL');")).rejects.toMatchObject({
    signal: 'SIGKILL',
  });
  await run('');
  await (await lockFolder(folder)).release();
  await rm(folder, { recursive: true });
});
