import { mkdir, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';

/** Another process has the folder. */
export class FolderLocked extends Error {
  constructor(folder: string) {
    super(`another skerry process already uses ${folder}`);
    this.name = 'FolderLocked';
  }
}

/**
 * Holds a folder against a second process. The lock is an abstract Unix socket (unix(7)) named after the folder's device and inode:
 * Node has no flock, and the kernel frees this one however the process ends. It is one per network namespace.
 */
export class FolderLock {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Makes the folder if need be. Throws FolderLocked. */
  static async take(folder: string): Promise<FolderLock> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { dev, ino } = await stat(folder, { bigint: true });
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(error.code === 'EADDRINUSE' ? new FolderLocked(folder) : error),
      );
      server.listen({ path: `\0skerry-folder-${dev}-${ino}` }, resolve);
    });
    server.unref();
    return new FolderLock(server);
  }

  async release(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
