import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { formatIsoTime } from '../../shared/meta/time.ts';
import { runCommand } from './command.ts';
import { isMountPoint } from './mounts.ts';
import { OpenFile } from './open-file.ts';
import { mountsUnder, unmountUnder } from './tmpfs.ts';

/** One file of a volume that the agent fills: its path within the volume, its bytes and its mode. */
export interface PayloadFile {
  path: string;
  content: Uint8Array;
  mode: number;
}

const DATA_LINK = '..data';

/**
 * Makes `folder` show exactly these files, all at once: they are written to a fresh folder beside the present one, and the link `..data`
 * is swapped over to it by one rename, so a reader sees the old set or the new one. Does nothing when they are there already.
 */
export async function writePayload(
  folder: string,
  files: readonly PayloadFile[],
  group: number | undefined,
): Promise<void> {
  await makeFolder(folder, 0o777, group);
  const before = await readlink(join(folder, DATA_LINK)).catch(() => undefined);
  if (before !== undefined && (await hasPayload(join(folder, before), files))) return;

  const name = `..${formatIsoTime(Date.now()).replaceAll(/[-:T]/g, '_').slice(0, 19)}.${randomBytes(5).toString('hex')}`;
  const fresh = join(folder, name);
  await makeFolder(fresh, 0o755, group);
  for (const file of files) await writePayloadFile(fresh, file, group);
  const prepared = join(folder, `${DATA_LINK}_tmp`);
  await rm(prepared, { force: true });
  await symlink(name, prepared);
  await rename(prepared, join(folder, DATA_LINK));
  await linkTopNames(folder, files);
  if (before !== undefined) await rm(join(folder, before), { recursive: true, force: true });
}

async function hasPayload(folder: string, files: readonly PayloadFile[]): Promise<boolean> {
  const present = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  if (present.filter((entry) => entry.isFile()).length !== files.length) return false;
  for (const { path, content, mode } of files) {
    const full = join(folder, path);
    const found = await stat(full).catch(() => undefined);
    // The group's read permission comes from fsGroup and is no part of what was asked for.
    if (found === undefined || (found.mode & 0o737) !== (mode & 0o737)) return false;
    if (!(await readFile(full)).equals(content)) return false;
  }
  return true;
}

async function writePayloadFile(
  folder: string,
  { path, content, mode }: PayloadFile,
  group: number | undefined,
): Promise<void> {
  const full = join(folder, path);
  await mkdir(dirname(full), { recursive: true, mode: 0o755 });
  await writeFile(full, content, { mode: 0o600 });
  if (group !== undefined) await chown(full, 0, group);
  await chmod(full, group === undefined ? mode : mode | 0o440);
}

/** `name -> ..data/name` for every first part of a path; names that are no longer there go. */
async function linkTopNames(folder: string, files: readonly PayloadFile[]): Promise<void> {
  const wanted = new Set(files.map(({ path }) => path.split('/')[0] ?? ''));
  const present = (await readdir(folder)).filter((name) => !name.startsWith('..'));
  for (const name of present) if (!wanted.has(name)) await rm(join(folder, name), { force: true });
  for (const name of wanted) {
    if (!present.includes(name)) await symlink(join(DATA_LINK, name), join(folder, name));
  }
}

/** With exactly this mode whatever the umask; a group gets it too, with setgid, as fsGroup asks. */
export async function makeFolder(folder: string, mode: number, group?: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (group !== undefined) await chown(folder, 0, group);
  await chmod(folder, group === undefined ? mode : mode | 0o2770);
}

/** Written in place, so that those who have the file mounted see it; nothing is written when it says the same already. */
export async function writeIfChanged(path: string, text: string, mode: number): Promise<void> {
  const before = await readFile(path, 'utf8').catch(() => undefined);
  if (before === text) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, mode);
}

/** A new empty file in the place of what was there; who has the old one open keeps it. */
export async function freshFile(path: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await writeFile(path, '', { flag: 'wx' });
  await chmod(path, mode);
}

/** At most `maxBytes` of the beginning; '' when there is no file. */
export async function readStart(path: string, maxBytes: number): Promise<string> {
  const file = await OpenFile.open(path, 'r').catch(() => undefined);
  if (file === undefined) return '';
  try {
    return (await file.read(0, maxBytes)).toString('utf8');
  } finally {
    await file.close();
  }
}

export type PathType =
  | 'missing'
  | 'directory'
  | 'file'
  | 'socket'
  | 'character'
  | 'block'
  | 'other';

/** What a path leads to, symbolic links followed. */
export async function pathType(path: string): Promise<PathType> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return 'missing';
  if (found.isDirectory()) return 'directory';
  if (found.isFile()) return 'file';
  if (found.isSocket()) return 'socket';
  if (found.isCharacterDevice()) return 'character';
  return found.isBlockDevice() ? 'block' : 'other';
}

/** Creates an empty file, 0644; its folder must exist. */
export async function createFile(path: string): Promise<void> {
  await writeFile(path, '', { flag: 'wx', mode: 0o644 });
}

export async function listFolder(path: string): Promise<string[]> {
  return await readdir(path).catch(() => []);
}

/**
 * Removes a folder with everything in it. What is mounted inside is unmounted first; should a mount remain, nothing is removed:
 * it may show a folder of the host. Throws then.
 */
export async function removeFolder(path: string): Promise<void> {
  await unmountUnder(path);
  const left = mountsUnder(path);
  if (left.length > 0) throw new Error(`still mounted: ${left.join(', ')}`);
  await rm(path, { recursive: true, force: true });
}

/** O_PATH of open(2): a handle that names a file without opening it. */
const O_PATH = 0o10000000;

/**
 * Binds what `subPath` leads to within `root` to `target`. A link that leads out of the volume is refused, also one that a container
 * puts there meanwhile: the handle is opened first, then looked at, and it is the handle that is mounted. Missing folders are made.
 * Throws with the kubelet's words.
 */
export async function bindSubPath(root: string, subPath: string, target: string): Promise<void> {
  const realRoot = await realpath(root);
  const path = await makeInside(realRoot, subPath);
  const handle = await OpenFile.open(path, O_PATH | constants.O_NOFOLLOW);
  try {
    const leadsTo = await readlink(`/proc/self/fd/${handle.fd}`);
    if (!isInside(realRoot, leadsTo)) throw new Error(escapes(leadsTo, realRoot));
    const isFolder = (await handle.stat()).isDirectory();
    await makeMountPoint(target, isFolder);
    const source = `/proc/${process.pid}/fd/${handle.fd}`;
    await runCommand('mount', ['--no-canonicalize', '--bind', source, target]);
  } finally {
    await handle.close();
  }
}

/** The real path of `subPath`, its missing part made as folders, one level at a time, never through a link that leads out. */
async function makeInside(realRoot: string, subPath: string): Promise<string> {
  let path = realRoot;
  for (const part of subPath.split('/').filter((one) => one !== '' && one !== '.')) {
    if (part === '..') throw new Error(escapes(subPath, realRoot));
    const next = join(path, part);
    const found = await lstat(next).catch(() => undefined);
    if (found === undefined) await mkdir(next, { mode: 0o750 });
    path = await realpath(next);
    if (!isInside(realRoot, path)) throw new Error(escapes(path, realRoot));
  }
  return path;
}

async function makeMountPoint(target: string, isFolder: boolean): Promise<void> {
  if (isMountPoint(target)) await unmountUnder(target);
  await mkdir(dirname(target), { recursive: true });
  await rm(target, { recursive: true, force: true });
  if (isFolder) await mkdir(target);
  else await writeFile(target, '');
}

function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root === sep ? sep : root + sep);
}

function escapes(path: string, root: string): string {
  return `subpath "${path}" not within volume path "${root}"`;
}
