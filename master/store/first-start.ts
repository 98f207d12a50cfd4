import { access } from 'node:fs/promises';
import { writePrivateFile } from '../private-file.ts';

/**
 * Remembers, in a file of its own, that a master's folder has held a store: so a store that is gone is known from one that has not begun.
 * An empty cluster in its place would have every device delete its pods.
 */
export class FirstStart {
  readonly #path: string;

  /** `folder`: the master's. */
  constructor(folder: string) {
    this.#path = `${folder}/initialised`;
  }

  async isOver(): Promise<boolean> {
    try {
      await access(this.#path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  /** Durable when it resolves; written once. */
  async complete(): Promise<void> {
    if (await this.isOver()) return;
    await writePrivateFile(this.#path, 'The store beside this file has been written.\n');
  }
}
