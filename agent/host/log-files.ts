import { watch } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { OpenFile } from './open-file.ts';

/** An open file that may grow, be renamed or be cut short while it is read. */
export class LogFile {
  readonly #file: OpenFile;
  readonly inode: number;

  private constructor(file: OpenFile, inode: number) {
    this.#file = file;
    this.inode = inode;
  }

  /** Undefined when there is none. */
  static async open(path: string): Promise<LogFile | undefined> {
    try {
      const file = await OpenFile.open(path, 'r');
      return new LogFile(file, (await file.stat()).ino);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async size(): Promise<number> {
    return (await this.#file.stat()).size;
  }

  /** What there is of `length` bytes from `position` on. */
  async read(position: number, length: number): Promise<Buffer> {
    return await this.#file.read(position, length);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** The inode of what is at `path` now; undefined when there is nothing. */
export async function inodeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.ino;
}

/** 0 when there is no such file. */
export async function logSize(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/**
 * Renames `path` to `<path>.1` (and .1 to .2, up to `kept` of them). Whoever has it open goes on writing there until it opens `path`
 * anew, so no line is lost.
 */
export async function rotateByName(path: string, kept: number): Promise<void> {
  await shiftRotated(path, kept);
  await rename(path, `${path}.1`);
}

/**
 * The same for a writer that cannot be told: copies what `path` holds to `<path>.1` and empties it in place. The writer has it open
 * for appending and goes on at its beginning. A line that is written between the copy and the emptying is lost.
 */
export async function rotateInPlace(path: string, kept: number): Promise<void> {
  await shiftRotated(path, kept);
  await copyFile(path, `${path}.1`);
  await truncate(path, 0);
}

async function shiftRotated(path: string, kept: number): Promise<void> {
  for (let number = kept - 1; number >= 1; number--) {
    await rename(`${path}.${number}`, `${path}.${number + 1}`).catch(() => undefined);
  }
}

/** Tells the name of every file in `folder` that was written, made or renamed (inotify). */
export function watchWrites(folder: string, listener: (name: string) => void): () => void {
  const watcher = watch(folder, { persistent: false }, (_event, name) => listener(name ?? ''));
  // The folder went: whoever reads there finds out by the container's end.
  watcher.on('error', () => watcher.close());
  return () => watcher.close();
}

export async function makeLogFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o755 });
}

export async function listLogFolder(path: string): Promise<string[]> {
  return await readdir(path).catch(() => []);
}

export async function removeLogs(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
