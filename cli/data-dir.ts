import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CommandFailure } from './command-failure.ts';

const WHY: Record<string, string> = {
  EROFS: 'it is on a read-only file system',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  ENOTDIR: 'a file is in its place',
  ENOSPC: 'no space is left there',
};

/**
 * Makes a program's own part of the data directory, only for its owner, unless it is there; the data directory itself may belong to another
 * user then, and others may enter it: the other part may be that of a program which runs as somebody else. Throws CommandFailure when nothing can be written to it.
 */
export async function openDataDir(dataDir: string, part: 'master' | 'agent'): Promise<void> {
  const folder = resolve(dataDir, part);
  try {
    await make(folder, 0o700);
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new CommandFailure(
      `the data directory ${dataDir} cannot be used: ${WHY[code] ?? message}; choose another with --data-dir`,
    );
  }
}

/** One by one: Node's recursive mkdir reports a read-only file system as ENOENT, and never returns on one that takes no folders. */
async function make(folder: string, mode: number): Promise<void> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found?.isDirectory() === false) throw Object.assign(new Error(), { code: 'ENOTDIR' });
  if (found !== undefined) return;
  await make(dirname(folder), 0o755);
  await mkdir(folder, { mode }).catch((error: NodeJS.ErrnoException) => {
    // Another program made it meanwhile.
    if (error.code !== 'EEXIST') throw error;
  });
}
