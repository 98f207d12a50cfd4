import { stat } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';

/**
 * Locks a folder against other processes until `release` or the end of this process, however it ends: an abstract Unix socket
 * named after the folder's device and inode, because Node has no flock. It holds within one network namespace. A second holder gets
 * an error of one sentence.
 */
export async function lockFolder(folder: string): Promise<{ release(): Promise<void> }> {
  const { dev, ino } = await stat(folder, { bigint: true });
  // Whoever connects is told which process holds the folder, and sees the connection end with it (cli/down.ts).
  const askers = new Set<Socket>();
  const server = createServer((socket) => {
    askers.add(socket);
    socket.on('close', () => askers.delete(socket));
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
    release: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const asker of askers) asker.destroy();
      return closed;
    },
  };
}
