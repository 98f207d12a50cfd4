import { close, fdatasync, fstat, fsync, ftruncate, open, read, type Stats, write } from 'node:fs';
import { promisify } from 'node:util';

const calls = {
  close: promisify(close),
  datasync: promisify(fdatasync),
  open: promisify(open),
  read: promisify(read),
  stat: promisify(fstat),
  sync: promisify(fsync),
  truncate: promisify(ftruncate),
  write: promisify(write),
};

/**
 * An open file; whoever opens it closes it. In place of the FileHandle of node:fs/promises, with which comes a megabyte that nothing here
 * needs: Node's line editor and its watchers of folders (.ci/lean-modules.ts).
 */
export class OpenFile {
  readonly fd: number;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** `flags` and `mode` as for open(2), or `r`, `r+`, `wx`. */
  static async open(path: string, flags: string | number, mode?: number): Promise<OpenFile> {
    return new OpenFile(await calls.open(path, flags, mode));
  }

  /** What there is of `length` bytes from `position` on. */
  async read(position: number, length: number): Promise<Buffer> {
    const { buffer, bytesRead } = await calls.read(
      this.fd,
      Buffer.allocUnsafe(length),
      0,
      length,
      position,
    );
    return buffer.subarray(0, bytesRead);
  }

  /** All of `bytes`, from `position` on. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const left = bytes.length - written;
      const { bytesWritten } = await calls.write(this.fd, bytes, written, left, position + written);
      written += bytesWritten;
    }
  }

  stat(): Promise<Stats> {
    return calls.stat(this.fd);
  }

  truncate(length: number): Promise<void> {
    return calls.truncate(this.fd, length);
  }

  /** Content and everything that is known of the file, durable. */
  sync(): Promise<void> {
    return calls.sync(this.fd);
  }

  /** Content and length, durable. */
  datasync(): Promise<void> {
    return calls.datasync(this.fd);
  }

  close(): Promise<void> {
    return calls.close(this.fd);
  }
}
