import { basename, dirname } from 'node:path';
import { inodeOf, LogFile, watchWrites } from '../host/log-files.ts';
import type { CriOutput } from './cri-log.ts';
import { tailStart } from './log-tail.ts';
import type { StreamSink } from './stream.ts';

const CHUNK_BYTES = 64 * 1024;

/** The files of one run of a container, read in order. */
export interface LogSource {
  /** Oldest first; the last one is the one that is being written. */
  files: readonly string[];
  output: CriOutput;
  sink: StreamSink;
  signal: AbortSignal;
}

/** Where reading begins: the first file to read and the offset in it. */
export interface LogStart {
  index: number;
  offset: number;
}

/** The place from which the last `lines` lines follow, looking back over as many files as it takes. */
export async function findTail(files: readonly string[], lines: number): Promise<LogStart> {
  let missing = lines;
  for (let index = files.length - 1; index >= 0; index--) {
    const file = await LogFile.open(files[index] ?? '');
    if (file === undefined) continue;
    try {
      const { offset, found } = await tailStart(file, missing);
      missing -= found;
      if (missing <= 0) return { index, offset };
    } finally {
      await file.close();
    }
  }
  return { index: 0, offset: 0 };
}

/** Gives out what the files hold now. A rotation meanwhile neither hides nor repeats anything. */
export async function readLog(source: LogSource, start: LogStart): Promise<void> {
  const reading = await begin(source, start);
  while (reading.file !== undefined && !isOver(source)) {
    await readOn(reading, source);
    if (!(await goToNewer(reading, source))) break;
  }
  await reading.file?.close();
}

/**
 * Gives out what the files hold and what is written to the last one, until `isRunning` says no and everything is read. Sleeps between
 * writes: inotify wakes it, and `changed`, which calls back when the container's state did.
 */
export async function followLog(
  source: LogSource,
  start: LogStart,
  container: { isRunning(): boolean; subscribe(changed: () => void): () => void },
): Promise<void> {
  const path = currentOf(source);
  const wait = new Wakeups(source.signal);
  const name = basename(path);
  const ends = [
    watchWrites(dirname(path), (written) => {
      if (written === '' || written === name) wait.wake();
    }),
    container.subscribe(() => wait.wake()),
  ];
  const reading = await begin(source, start);
  try {
    while (!isOver(source)) {
      // Asked before reading: what was written until the end is read after it.
      const goesOn = container.isRunning();
      reading.file ??= await LogFile.open(path);
      await readOn(reading, source);
      if (await goToNewer(reading, source)) continue;
      if (!goesOn) return;
      await wait.next();
    }
  } finally {
    await reading.file?.close();
    for (const end of ends) end();
  }
}

/** The file that is read, and how far. */
interface Reading {
  file: LogFile | undefined;
  position: number;
}

async function begin(source: LogSource, { index, offset }: LogStart): Promise<Reading> {
  for (const [at, path] of source.files.entries()) {
    if (at < index) continue;
    const file = await LogFile.open(path);
    if (file === undefined) continue;
    source.output.startFile();
    return { file, position: at === index ? offset : 0 };
  }
  return { file: undefined, position: 0 };
}

async function readOn(reading: Reading, source: LogSource): Promise<void> {
  const { file } = reading;
  if (file === undefined) return;
  // Cut short in place: what comes now is new.
  if ((await file.size()) < reading.position) reading.position = 0;
  reading.position = await readToEnd(file, reading.position, source);
}

/** Goes to the file after this one, once this one is read to its end; answers whether there is one. */
async function goToNewer(reading: Reading, source: LogSource): Promise<boolean> {
  const { file } = reading;
  if (file === undefined) return false;
  const newer = await openNewer(currentOf(source), file.inode);
  if (newer === undefined) return false;
  // Its writer has left it for the newer one, so this is the last of it.
  await readToEnd(file, reading.position, source);
  await file.close();
  reading.file = newer;
  reading.position = 0;
  source.output.startFile();
  return true;
}

/**
 * The file that was begun after the one with this inode: `0.log` after `0.log.1`. Told by inodes, as a rotation may rename all of them
 * at any moment; of a file that is no longer kept the oldest is the next one.
 */
async function openNewer(current: string, inode: number): Promise<LogFile | undefined> {
  for (;;) {
    const newer = await findNewer(current, inode);
    if (newer === undefined) return undefined;
    const file = await LogFile.open(newer.path);
    if (file?.inode === newer.inode) return file;
    await file?.close();
  }
}

/** From the newest on, so that a rotation in the middle shows a file twice and hides none. */
async function findNewer(
  current: string,
  inode: number,
): Promise<{ path: string; inode: number } | undefined> {
  let newer: { path: string; inode: number } | undefined;
  for (let rotation = 0; ; rotation++) {
    const path = rotation === 0 ? current : `${current}.${rotation}`;
    const found = await inodeOf(path);
    if (found === inode || (found === undefined && rotation > 0)) return newer;
    if (found !== undefined) newer = { path, inode: found };
  }
}

function currentOf({ files }: LogSource): string {
  return files.at(-1) ?? '';
}

/** Answers the position after what was read. */
async function readToEnd(file: LogFile, from: number, source: LogSource): Promise<number> {
  let position = from;
  while (!isOver(source)) {
    const bytes = await file.read(position, CHUNK_BYTES);
    if (bytes.length === 0) break;
    position += bytes.length;
    const out = source.output.push(bytes);
    if (out.length > 0) await source.sink.write(out);
  }
  return position;
}

function isOver({ output, signal }: LogSource): boolean {
  return output.isFull || signal.aborted;
}

/** Remembers a wake-up that comes while nobody waits. */
class Wakeups {
  readonly #signal: AbortSignal;
  #isPending = false;
  #resolve: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.wake(), { once: true });
  }

  wake(): void {
    this.#isPending = true;
    this.#resolve?.();
  }

  async next(): Promise<void> {
    if (!this.#isPending && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
    }
    this.#resolve = undefined;
    this.#isPending = false;
  }
}
