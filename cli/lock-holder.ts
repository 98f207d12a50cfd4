import { stat } from 'node:fs/promises';
import { connect } from 'node:net';

/** The process that holds a folder of Skerry's. */
export interface LockHolder {
  pid: number;
  /** Resolves when the process has ended. */
  ended: Promise<void>;
  /** Listens no more for its end; until then the question keeps this process alive. */
  release(): void;
}

/** Asks the folder's lock (an abstract Unix socket named after its device and inode); undefined when nobody holds it. */
export async function findLockHolder(folder: string): Promise<LockHolder | undefined> {
  const found = await stat(folder, { bigint: true }).catch(() => undefined);
  if (found === undefined) return undefined;
  return await new Promise((resolve) => {
    const socket = connect({ path: `\0skerry-lock-${found.dev}-${found.ino}` });
    const ended = new Promise<void>((end) => socket.once('close', () => end()));
    socket.once('error', () => resolve(undefined));
    // Read on, or the end would go unnoticed.
    socket.on('data', (line) => {
      resolve({ pid: Number(line.toString('utf8')), ended, release: () => socket.destroy() });
    });
  });
}
