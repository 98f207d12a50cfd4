import { lstat, open, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { isAbandoned, pidOfLock } from '../shared/folder-lock.ts';

/** The process that holds a folder of Skerry's. */
export interface LockHolder {
  pid: number;
  /** Resolves when the process has ended. */
  ended: Promise<void>;
  /**
   * Whether that process has the lock's socket open, and is its owner's. Who owns a folder may name there a process that is not theirs, and
   * the process ids of a container are others: before somebody is killed, this is asked. Needs root.
   */
  isProven(): Promise<boolean>;
  /** Listens no more for its end; until then the question keeps this process alive. */
  release(): void;
}

/**
 * Who answers to a lock in the folder (shared/folder-lock.ts), also while it hangs; undefined when nobody holds it. Throws the system's error
 * where this user may not look.
 */
export async function findLockHolder(folder: string): Promise<LockHolder | undefined> {
  const opened = await open(folder, 'r').catch(orNothing);
  if (opened === undefined) return undefined;
  try {
    for (const name of await readdir(folder)) {
      const pid = pidOfLock(name);
      // The path of a socket has to be short.
      const path = `/proc/self/fd/${opened.fd}/${name}`;
      const socket = pid === undefined ? undefined : await connected(path);
      if (pid === undefined || socket === undefined) continue;
      const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      const { uid } = await lstat(path).catch(() => ({ uid: undefined }));
      const isProven = async () => (await ownerOf(pid)) === uid && (await listensAt(pid, name));
      return { pid, ended, isProven, release: () => socket.destroy() };
    }
    return undefined;
  } finally {
    await opened.close();
  }
}

function orNothing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}

/** Undefined when nobody listens there. */
async function connected(path: string): Promise<Socket | undefined> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('connect', () => resolve(socket));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      isAbandoned(error) ? resolve(undefined) : reject(error),
    );
    // Read on, or the end would go unnoticed.
    socket.resume();
  });
}

async function ownerOf(pid: number): Promise<number | undefined> {
  const found = await stat(`/proc/${pid}`).catch(() => undefined);
  return found?.uid;
}

/** __SO_ACCEPTCON of the flags in /proc/net/unix (unix(7), proc(5)): a socket that listens. */
const LISTENS = '00010000';

/** Whether a process has a socket that listens under this name; others may have given the same name to theirs. */
async function listensAt(pid: number, name: string): Promise<boolean> {
  const table = (await readFile('/proc/net/unix', 'utf8')).split('\n').map((row) => row.split(' '));
  const sockets = table
    .filter((words) => words[3] === LISTENS && words.at(-1)?.endsWith(`/${name}`))
    .map((words) => `socket:[${words.at(-2)}]`);
  const folder = `/proc/${pid}/fd`;
  const files = await readdir(folder).catch(() => []);
  const targets = await Promise.all(
    files.map((file) => readlink(`${folder}/${file}`).catch(() => '')),
  );
  return targets.some((target) => sockets.includes(target));
}
