import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';

/**
 * Locks a folder against other processes until `release` or the end of this process, however it ends: an abstract Unix socket
 * named after the folder's device and inode, because Node has no flock. It holds within one network namespace. A second holder gets
 * an error of one sentence.
 */
export async function lockFolder(folder: string): Promise<{ release(): Promise<void> }> {
  const { dev, ino } = await stat(folder, { bigint: true });
  // Whoever connects is told which process holds the folder, and sees the connection end with it (cli/down.ts).
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.unref();
    socket.write(`${process.pid}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE';
      reject(isTaken ? new Error(`${folder} is in use by another process of skerry`) : error);
    });
    server.listen({ path: `\0skerry-lock-${dev}-${ino}` }, resolve);
  });
  server.unref();
  return {
    // Whoever asked stays connected, and so sees the end of the process and not only that of the lock.
    release: async () => {
      server.close();
    },
  };
}
