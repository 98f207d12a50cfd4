import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { CommandFailure } from './command-failure.ts';

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

/** A program whose loop turns answers at once. */
const PATIENCE_MS = 2_000;

/**
 * Asks the folder's lock (an abstract Unix socket named after its device and inode); undefined when nobody holds it. One that hangs does
 * not answer, and is found by its socket, for which this must be root. Throws CommandFailure where neither tells.
 */
export async function findLockHolder(
  folder: string,
  patienceMs = PATIENCE_MS,
): Promise<LockHolder | undefined> {
  const found = await stat(folder, { bigint: true }).catch(() => undefined);
  if (found === undefined) return undefined;
  const name = `skerry-lock-${found.dev}-${found.ino}`;
  return await new Promise((resolve, reject) => {
    const socket = connect({ path: `\0${name}` });
    const ended = new Promise<void>((end) => socket.once('close', () => end()));
    const answer = (pid: number) => {
      clearTimeout(patience);
      const isProven = () => listensAt(pid, name);
      resolve({ pid, ended, isProven, release: () => socket.destroy() });
    };
    const lookForIt = async () => {
      const pid = await listenerAt(name);
      if (pid !== undefined) return answer(pid);
      socket.destroy();
      reject(new CommandFailure(`the program that holds ${folder} does not answer, it hangs`));
    };
    const patience = setTimeout(() => void lookForIt().catch(reject), patienceMs);
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(patience);
      resolve(undefined);
    });
    // Read on, or the end would go unnoticed.
    socket.on('data', (line) => answer(Number(line.toString('utf8'))));
  });
}

/** __SO_ACCEPTCON of the flags in /proc/net/unix (unix(7), proc(5)): a socket that listens. */
const LISTENS = '00010000';

/** Whether a process has the socket that listens at an abstract name. */
async function listensAt(pid: number, name: string): Promise<boolean> {
  const inode = await inodeAt(name);
  return inode !== undefined && (await hasSocket(pid, inode));
}

/** The process that has it. */
async function listenerAt(name: string): Promise<number | undefined> {
  const inode = await inodeAt(name);
  if (inode === undefined) return undefined;
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
  for (const pid of pids) if (await hasSocket(pid, inode)) return pid;
  return undefined;
}

async function inodeAt(name: string): Promise<string | undefined> {
  const table = (await readFile('/proc/net/unix', 'utf8')).split('\n').map((row) => row.split(' '));
  // Older releases of Node.js pad the name with zeros, which are shown as "@" too.
  const row = table.find(
    (words) => words[3] === LISTENS && words.at(-1)?.replace(/@+$/, '') === `@${name}`,
  );
  return row?.at(-2);
}

async function hasSocket(pid: number, inode: string): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const files = await readdir(folder).catch(() => []);
  const targets = await Promise.all(
    files.map((file) => readlink(`${folder}/${file}`).catch(() => '')),
  );
  return targets.includes(`socket:[${inode}]`);
}
