import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { isAbandoned, lockName, pidOfLock } from '../../shared/folder-lock.ts';
import { OpenFile } from './open-file.ts';

/** Another process has the folder. */
export class FolderLocked extends Error {
  constructor(folder: string) {
    super(`another skerry process already uses ${folder}`);
    this.name = 'FolderLocked';
  }
}

/** Holds a folder against a second process, as shared/folder-lock.ts tells. */
export class FolderLock {
  readonly #server: Server;
  readonly #opened: OpenFile;

  private constructor(server: Server, opened: OpenFile) {
    this.#server = server;
    this.#opened = opened;
  }

  /** Makes the folder if need be. Throws FolderLocked. */
  static async take(folder: string): Promise<FolderLock> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const opened = await OpenFile.open(folder, 'r');
    // Whoever connects sees the connection end with this process (cli/down.ts).
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.unref();
      socket.resume();
    });
    const lock = new FolderLock(server, opened);
    try {
      await lock.#holdAlone(folder, lockName(process.pid, randomBytes(6).toString('hex')));
      return lock;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async release(): Promise<void> {
    // The socket's name goes with this. Whoever asked stays connected, and so sees the end of the process and not only that of the lock.
    this.#server.close();
    await this.#opened.close();
  }

  async #holdAlone(folder: string, own: string): Promise<void> {
    await this.#listen(folder, own);
    const others = (await readdir(folder)).filter(
      (name) => name !== own && pidOfLock(name) !== undefined,
    );
    for (const name of others) {
      if (await isHeld(this.#at(name))) throw new FolderLocked(folder);
      await rm(this.#at(name), { force: true });
    }
    // One that looked before this one listened took it for dead.
    if (!(await readdir(folder)).includes(own)) throw new FolderLocked(folder);
  }

  async #listen(folder: string, name: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', ({ code }: NodeJS.ErrnoException) =>
        reject(
          Object.assign(
            new Error(`${folder} cannot be locked: no socket can be made in it (${code})`),
            { code },
          ),
        ),
      );
      this.#server.listen({ path: this.#at(name) }, resolve);
    });
    this.#server.unref();
  }

  /** A socket's path has at most 107 bytes, and Node cuts off the rest: this one is short, whatever the folder's is. */
  #at(name: string): string {
    return `/proc/self/fd/${this.#opened.fd}/${name}`;
  }
}

function isHeld(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const end = (isHeld: boolean) => {
      socket.destroy();
      resolve(isHeld);
    };
    socket.once('connect', () => end(true));
    socket.once('error', (error: NodeJS.ErrnoException) => end(!isAbandoned(error)));
  });
}
