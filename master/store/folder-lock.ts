import { randomBytes } from 'node:crypto';
import { open, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { isAbandoned, lockName, pidOfLock } from '../../shared/folder-lock.ts';

/**
 * Locks a folder against other processes until `release` or the end of this process, however it ends, as shared/folder-lock.ts tells.
 * A second holder gets an error of one sentence.
 */
export async function lockFolder(folder: string): Promise<{ release(): Promise<void> }> {
  const opened = await open(folder, 'r');
  // A socket's path has at most 107 bytes, and Node cuts off the rest: this one is short, whatever the folder's is.
  const at = (name: string) => `/proc/self/fd/${opened.fd}/${name}`;
  const own = lockName(process.pid, randomBytes(6).toString('hex'));
  // Whoever connects sees the connection end with this process (cli/down.ts).
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.unref();
    socket.resume();
  });
  const release = async () => {
    // The socket's name goes with this. Whoever asked stays connected, and so sees the end of the process and not only that of the lock.
    server.close();
    await opened.close();
  };
  try {
    await listen(server, at(own), folder);
    const names = await readdir(folder);
    for (const name of names.filter((found) => found !== own && pidOfLock(found) !== undefined)) {
      if (await isHeld(at(name))) throw inUse(folder);
      await rm(at(name), { force: true });
    }
    // One that looked before this one listened took it for dead.
    if (!(await readdir(folder)).includes(own)) throw inUse(folder);
    return { release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function listen(server: Server, path: string, folder: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ code }: NodeJS.ErrnoException) =>
      reject(
        Object.assign(
          new Error(`${folder} cannot be locked: no socket can be made in it (${code})`),
          { code },
        ),
      ),
    );
    server.listen({ path }, resolve);
  });
  server.unref();
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

function inUse(folder: string): Error {
  return new Error(`${folder} is in use by another process of skerry`);
}
