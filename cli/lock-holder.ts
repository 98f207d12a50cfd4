import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { connect } from 'node:net';

/** The process that holds a folder of Skerry's. */
export interface LockHolder {
  pid: number;
  /** Resolves when the process has ended. */
  ended: Promise<void>;
  /**
   * Whether that process has the lock's socket open. Any user of the machine may take a lock that is free, and name a process that is not
   * theirs: before somebody is killed, this is asked. Needs root.
   */
  isProven(): Promise<boolean>;
  /** Listens no more for its end; until then the question keeps this process alive. */
  release(): void;
}

/** Asks the folder's lock (an abstract Unix socket named after its device and inode); undefined when nobody holds it. */
export async function findLockHolder(folder: string): Promise<LockHolder | undefined> {
  const found = await stat(folder, { bigint: true }).catch(() => undefined);
  if (found === undefined) return undefined;
  const name = `skerry-lock-${found.dev}-${found.ino}`;
  return await new Promise((resolve) => {
    const socket = connect({ path: `\0${name}` });
    const ended = new Promise<void>((end) => socket.once('close', () => end()));
    socket.once('error', () => resolve(undefined));
    // Read on, or the end would go unnoticed.
    socket.on('data', (line) => {
      const pid = Number(line.toString('utf8'));
      const isProven = () => listensAt(pid, name);
      resolve({ pid, ended, isProven, release: () => socket.destroy() });
    });
  });
}

/** __SO_ACCEPTCON of the flags in /proc/net/unix (unix(7), proc(5)): a socket that listens. */
const LISTENS = '00010000';

/** Whether a process has the socket that listens at an abstract name. */
async function listensAt(pid: number, name: string): Promise<boolean> {
  const table = (await readFile('/proc/net/unix', 'utf8')).split('\n').map((row) => row.split(' '));
  // Older releases of Node.js pad the name with zeros, which are shown as "@" too.
  const row = table.find(
    (words) => words[3] === LISTENS && words.at(-1)?.replace(/@+$/, '') === `@${name}`,
  );
  const inode = row?.at(-2);
  if (inode === undefined) return false;
  const folder = `/proc/${pid}/fd`;
  const files = await readdir(folder).catch(() => []);
  const targets = await Promise.all(
    files.map((file) => readlink(`${folder}/${file}`).catch(() => '')),
  );
  return targets.includes(`socket:[${inode}]`);
}
