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

/** Gives out what the files hold now. */
export async function readLog(source: LogSource, start: LogStart): Promise<void> {
  for (const [index, path] of source.files.entries()) {
    if (index < start.index || isOver(source)) continue;
    const file = await LogFile.open(path);
    if (file === undefined) continue;
    try {
      source.output.startFile();
      await readToEnd(file, index === start.index ? start.offset : 0, source);
    } finally {
      await file.close();
    }
  }
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
  const path = source.files.at(-1) ?? '';
  const wait = new Wakeups(source.signal);
  const name = basename(path);
  const ends = [
    watchWrites(dirname(path), (written) => {
      if (written === '' || written === name) wait.wake();
    }),
    container.subscribe(() => wait.wake()),
  ];
  try {
    const older = { ...source, files: source.files.slice(0, -1) };
    await readLog(older, start);
    const last = source.files.length - 1;
    await followFile(
      path,
      start.index === last ? start.offset : 0,
      source,
      container.isRunning,
      wait,
    );
  } finally {
    for (const end of ends) end();
  }
}

async function followFile(
  path: string,
  offset: number,
  source: LogSource,
  isRunning: () => boolean,
  wait: Wakeups,
): Promise<void> {
  let file: LogFile | undefined;
  let position = offset;
  try {
    while (!isOver(source)) {
      // Asked before reading: what was written until the end is read after it.
      const goesOn = isRunning();
      file ??= await LogFile.open(path);
      if (file !== undefined) {
        // Cut short in place: what comes now is new.
        if ((await file.size()) < position) position = 0;
        position = await readToEnd(file, position, source);
        if (await isReplaced(path, file)) {
          await readToEnd(file, position, source);
          await file.close();
          file = undefined;
          position = 0;
          source.output.startFile();
          continue;
        }
      }
      if (!goesOn) return;
      await wait.next();
    }
  } finally {
    await file?.close();
  }
}

/** Rotated: another file has its name now. */
async function isReplaced(path: string, file: LogFile): Promise<boolean> {
  const inode = await inodeOf(path);
  return inode !== undefined && inode !== file.inode;
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
