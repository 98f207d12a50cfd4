import {
  appendFileSync,
  closeSync,
  fstatSync,
  openSync,
  readSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { runCommand } from './command.ts';
import { fileExists, readSmallFile, removeFile } from './small-files.ts';

export interface GrowingFileOptions {
  /** Appended to by another process, never shortened. */
  source: string;
  target: string;
  /** Remembers how far `source` was read; on tmpfs. */
  offsetFile: string;
  /** Answers what to append to `target` and how many bytes that used up. */
  convert: (raw: Uint8Array, last: boolean) => { lines: Uint8Array; consumedBytes: number };
  failed: (error: unknown) => void;
}

const CHUNK_BYTES = 256 * 1024;
/** What was read is given back to the file system in pieces of this size. */
const RELEASE_BYTES = 1024 * 1024;

/**
 * Follows a file that another process appends to and writes what `convert` makes of it to a second one. Driven by inotify; nothing
 * runs while nothing is written. The offset is kept after the target is written: a crash between the two repeats a piece, never loses one.
 */
export class GrowingFile {
  readonly #options: GrowingFileOptions;
  #descriptor: number | undefined;
  #watcher: ReturnType<typeof watch> | undefined;
  #offset = 0;
  #releasedTo = 0;

  constructor(options: GrowingFileOptions) {
    this.#options = options;
  }

  /** A source that is not there is no error: there is nothing to follow. */
  start(): void {
    const { source, offsetFile } = this.#options;
    if (this.#descriptor !== undefined || !fileExists(source)) return;
    this.#offset = Number(readSmallFile(offsetFile) ?? 0);
    this.#releasedTo = this.#offset;
    this.#descriptor = openSync(source, 'r');
    this.#watcher = watch(source, { persistent: false }, () => this.#guarded(false));
    this.#guarded(false);
  }

  /** Stops following; another one may go on from the same offset. */
  stop(): void {
    this.#watcher?.close();
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** Takes what is left, an unfinished line too, and removes the source. Need not be started. */
  finish(): void {
    this.start();
    if (this.#descriptor === undefined) return;
    this.#guarded(true);
    this.stop();
    removeFile(this.#options.source);
    removeFile(this.#options.offsetFile);
  }

  #guarded(last: boolean): void {
    try {
      this.#take(last);
    } catch (error) {
      this.#options.failed(error);
    }
  }

  #take(last: boolean): void {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) return;
    for (;;) {
      const left = fstatSync(descriptor).size - this.#offset;
      if (left <= 0) return;
      const buffer = Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES));
      const raw = buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, this.#offset));
      const { lines, consumedBytes } = this.#options.convert(raw, last && raw.length === left);
      if (consumedBytes === 0) return;
      appendFileSync(this.#options.target, lines, { mode: 0o640 });
      this.#offset += consumedBytes;
      writeFileSync(this.#options.offsetFile, String(this.#offset), { mode: 0o600 });
      this.#release();
    }
  }

  /** A hole instead of a truncation: bytes that come in meanwhile stay. */
  #release(): void {
    const length = Math.floor((this.#offset - this.#releasedTo) / 4096) * 4096;
    if (length < RELEASE_BYTES) return;
    const offset = Math.floor(this.#releasedTo / 4096) * 4096;
    this.#releasedTo = offset + length;
    runCommand('fallocate', [
      '--punch-hole',
      `--offset=${offset}`,
      `--length=${length}`,
      this.#options.source,
    ]).catch(this.#options.failed);
  }
}
