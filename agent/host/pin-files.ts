import { mkdir, readdir, rm, statfs } from 'node:fs/promises';

/** statfs(2): the file system of a pinned namespace. */
const NSFS_MAGIC = 0x6e736673;

/** True when a namespace is mounted on the file; throws when there is no such file. */
export async function isPinnedNamespace(path: string): Promise<boolean> {
  return (await statfs(path)).type === NSFS_MAGIC;
}

/** A folder that only root may look into. */
export async function makePinFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** Names in the folder; none when it is not there. */
export async function listPins(path: string): Promise<string[]> {
  return await readdir(path).catch(() => []);
}

/** With all files in it; a pin that is still mounted makes it throw (EBUSY). */
export async function removePinFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
