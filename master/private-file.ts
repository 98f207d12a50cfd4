import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { namingFullDisk } from '../shared/disk-full.ts';

/**
 * Replaces a file of mode 0600, atomically and durably: after a crash it has the old content or the new. Its folder must exist. Both
 * the certificates' folder and the store's key are written by it, so it lies beside the parts.
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const preparing = `${path}.new`;
  try {
    await rm(preparing, { force: true });
    await write(preparing, text);
    await rename(preparing, path);
    await syncFolder(dirname(path));
  } catch (error) {
    throw namingFullDisk(error, path);
  }
}

/** Makes a file of mode 0600, its content durable when this resolves, its name after syncFolder(). */
export async function writeNewFile(path: string, text: string): Promise<void> {
  try {
    await write(path, text);
  } catch (error) {
    throw namingFullDisk(error, path);
  }
}

async function write(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
