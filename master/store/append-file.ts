import { type FileHandle, open } from 'node:fs/promises';

/** A file that only grows, through one descriptor that stays open. */
export class AppendFile {
  readonly #path: string;
  #file: FileHandle | undefined;
  #size = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  /** Opens the file that has the path now: again after another one took its place. */
  async reopen(): Promise<void> {
    const previous = this.#file;
    this.#file = await open(this.#path, 'a', 0o600);
    await previous?.close();
    this.#size = (await this.#file.stat()).size;
  }

  /** One write, and on the disk when it resolves. */
  async append(bytes: Buffer): Promise<void> {
    if (!this.#file) throw new Error(`${this.#path} is not open`);
    // Resolves after everything is written, unlike write().
    await this.#file.appendFile(bytes);
    await this.#file.datasync();
    this.#size += bytes.length;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}
