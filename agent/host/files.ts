import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { namingFullDisk } from '../../shared/disk-full.ts';
import { namingFolder } from '../../shared/folder-for-file.ts';
import { OpenFile } from './open-file.ts';

/** Makes the folder and its parents, readable by nobody else. */
export async function ensurePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** The text of a file, or undefined when there is none. Names a folder that is in its place. */
export async function readTextFile(path: string): Promise<string | undefined> {
  return (await readSavedBytes(path))?.toString('utf8');
}

/** The bytes of a file, or undefined when there is none. */
export async function readSavedBytes(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw namingFolder(error, path);
  }
}

/** Replaces a file: afterwards it is durable with its new content, after a crash it has the old or the new one. */
export async function writeFileDurably(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  const preparing = `${path}.new`;
  try {
    await rm(preparing, { force: true });
    await writeNewFile(preparing, content, mode);
    await rename(preparing, path);
    await syncFolder(dirname(path));
  } catch (error) {
    throw namingFullDisk(error, path);
  }
}

async function writeNewFile(
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  const file = await OpenFile.open(path, 'wx', mode);
  try {
    await file.write(Buffer.from(content), 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the names in a folder durable. */
async function syncFolder(path: string): Promise<void> {
  const folder = await OpenFile.open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** A file that only grows at its end; each append is durable when it resolves. Calls must not overlap. */
export class AppendFile {
  readonly #path: string;
  #file: OpenFile | undefined;
  #length = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes that are known to be whole. */
  get length(): number {
    return this.#length;
  }

  /** What the file holds now. One that does not exist is made with this content, atomically. */
  async open(beginning: Buffer): Promise<Buffer> {
    const existed = await readSavedBytes(this.#path);
    if (existed === undefined) await writeFileDurably(this.#path, beginning);
    this.#file = await OpenFile.open(this.#path, 'r+');
    const bytes = existed ?? beginning;
    this.#length = bytes.length;
    return bytes;
  }

  /** Keeps what there is at `path`, in place of what is there, and begins anew with this content. */
  async setAside(path: string, bytes: Uint8Array): Promise<void> {
    await rename(this.#path, path);
    await this.replace(bytes);
  }

  /** Drops everything from `length` on. */
  async truncate(length: number): Promise<void> {
    await this.#opened.truncate(length);
    await this.#opened.sync();
    this.#length = length;
  }

  /** After an error the file ends where it did before, or the next open finds a broken end. */
  async append(bytes: Uint8Array): Promise<void> {
    const file = this.#opened;
    try {
      await file.write(bytes, this.#length);
      await file.datasync();
      this.#length += bytes.length;
    } catch (error) {
      await file.truncate(this.#length).catch(() => {});
      throw namingFullDisk(error, this.#path);
    }
  }

  /** Begins anew with this content, atomically. */
  async replace(bytes: Uint8Array): Promise<void> {
    await writeFileDurably(this.#path, bytes);
    const old = this.#opened;
    this.#file = await OpenFile.open(this.#path, 'r+');
    this.#length = bytes.length;
    await old.close();
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  get #opened(): OpenFile {
    if (this.#file === undefined) throw new Error(`${this.#path} is not open`);
    return this.#file;
  }
}
