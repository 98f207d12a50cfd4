import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
  writeSync,
} from 'node:fs';

/** The text of a small file (tmpfs, /sys, engine state), read at once; undefined when there is none. */
export function readSmallFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENODEV') return undefined;
    throw error;
  }
}

export function writeSmallFile(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
}

/** Into a FIFO that a process reads; where none does, or there is no FIFO, nothing happens. */
export function writeFifo(path: string, text: string): void {
  let fifo: number;
  try {
    fifo = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENXIO' || code === 'ENOENT') return;
    throw error;
  }
  try {
    writeSync(fifo, text);
  } finally {
    closeSync(fifo);
  }
}

/** Old or new, never half of it. */
export function replaceSmallFile(file: string, text: string): void {
  writeSmallFile(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

export function listFolder(folder: string): string[] {
  return readdirSync(folder);
}

/** A file of an image's own file system; a link that leads out of `root` counts as no file. */
export function readInside(root: string, path: string): string {
  try {
    const file = realpathSync(`${root}${path}`);
    return file.startsWith(`${realpathSync(root)}/`) ? readFileSync(file, 'utf8') : '';
  } catch {
    return '';
  }
}

export function removeFile(file: string): void {
  rmSync(file, { force: true, recursive: true });
}

/** Only when it is empty; one that is not there is no error. */
export function removeFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Leaves one that holds something as it is. */
export function removeFolderIfEmpty(folder: string): void {
  try {
    removeFolder(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
  }
}

export function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o750 });
}

/** Changes whenever the file does: modification time, size and inode in one word; undefined when there is none. */
export function fileVersion(file: string): string | undefined {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.mtimeNs}:${stat.size}:${stat.ino}`;
}

export function fileExists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

export function modifiedAtMs(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}

/**
 * Tells the name of every entry that appears in, or goes from, `folder` (inotify). `lost` is called once when the watch itself ends:
 * the folder was removed, or the kernel refused. The answer stops it.
 */
export function watchFolder(
  folder: string,
  appeared: (name: string) => void,
  lost: (error: Error) => void,
): () => void {
  const watcher = watch(folder, { persistent: false }, (_event, name) => {
    if (name !== null) appeared(name);
  });
  const inode = statSync(folder).ino;
  let over = false;
  const end = (error: Error): void => {
    if (over) return;
    over = true;
    watcher.close();
    lost(error);
  };
  watcher.on('error', end);
  watcher.on('change', () => {
    if (statSync(folder, { throwIfNoEntry: false })?.ino !== inode) {
      end(new Error(`${folder} was removed`));
    }
  });
  return () => {
    over = true;
    watcher.close();
  };
}

/** Tells of every change of one file, kernel files that notify (cgroup.events) among them; undefined when there is no such file. */
export function watchFile(file: string, changed: () => void): (() => void) | undefined {
  if (!fileExists(file)) return undefined;
  try {
    const watcher = watch(file, { persistent: false }, changed);
    watcher.on('error', changed);
    return () => watcher.close();
  } catch {
    return undefined;
  }
}
