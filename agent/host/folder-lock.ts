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
    // Whoever connects is told which process holds the folder, and sees the connection end with it (cli/down.ts).
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.unref();
      socket.write(`${process.pid}\n`);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(error.code === 'EADDRINUSE' ? new FolderLocked(folder) : error),
      );
      server.listen({ path: `\0skerry-lock-${dev}-${ino}` }, resolve);
    });
    server.unref();
    return new FolderLock(server);
  }

  async release(): Promise<void> {
    // Whoever asked stays connected, and so sees the end of the process and not only that of the lock.
    this.#server.close();
  }
}
