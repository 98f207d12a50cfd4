import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { namingFolder } from '../../shared/folder-for-file.ts';
import { syncFolder, writeNewFile, writePrivateFile } from '../private-file.ts';

/** A folder for secrets: 0700, its files 0600, each written whole or not at all and durable when the call returns. */
export class PrivateFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Empty counts as absent. */
  async exists(): Promise<boolean> {
    try {
      return (await readdir(this.path)).length > 0;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  /** The text of a file, or undefined when there is none. */
  async read(name: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.path, name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw namingFolder(error, join(this.path, name));
    }
  }

  async write(name: string, text: string): Promise<void> {
    await writePrivateFile(join(this.path, name), text);
  }

  /**
   * Makes the folder with all its files at once: prepared beside it, then renamed. After a crash there is the whole folder or none;
   * a half-made one is removed by the next call.
   */
  async createWith(files: Readonly<Record<string, string>>): Promise<void> {
    const preparing = `${this.path}.new`;
    await rm(preparing, { recursive: true, force: true });
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    await mkdir(preparing, { mode: 0o700 });
    for (const [name, text] of Object.entries(files)) {
      await writeNewFile(join(preparing, name), text);
    }
    await syncFolder(preparing);
    await rename(preparing, this.path);
    await syncFolder(dirname(this.path));
  }
}
