import { join } from 'node:path';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import {
  LogFile,
  listLogFolder,
  logSize,
  makeLogFolder,
  removeLogs,
  rotateByName,
  rotateInPlace,
} from '../host/log-files.ts';
import type { PodLogs } from '../pods/collaborators.ts';
import { CriOutput } from './cri-log.ts';
import { tailStart } from './log-tail.ts';

/** What FallbackToLogsOnError takes: the last 80 lines, of them the last 2048 bytes. */
const FALLBACK_LINES = 80;
const FALLBACK_BYTES = 2048;
/** Of which at most this much is looked at. */
const FALLBACK_READ_BYTES = 64 * 1024;

/** The kubelet's own figures: containerLogMaxSize 10Mi; of its five files three, for small disks. */
const MAX_LOG_BYTES = 10 * 1024 * 1024;
const MAX_LOG_FILES = 3;

/** Which pod's logs: `<namespace>_<name>_<uid>`; names hold no underscore. */
export interface LogOwner {
  namespace: string;
  name: string;
  uid: string;
}

/**
 * Who writes the log of this run: answers how to have it opened anew after it was renamed, undefined when nobody writes to it any more.
 */
export type LogWriters = (
  podUid: string,
  container: string,
  attempt: number,
) => (() => Promise<void>) | undefined;

/** The log files of this node: `<root>/<namespace>_<pod>_<uid>/<container>/<attempt>.log`, rotated ones with a suffix. */
export class LogFolders implements PodLogs {
  readonly #root: string;
  readonly #writers: LogWriters | undefined;
  #isBounding = false;

  /** `root` is `DIR/agent/logs`. Without `writers` a rotation loses what is written during it. */
  constructor(root: string, writers?: LogWriters) {
    this.#root = root;
    this.#writers = writers;
  }

  folder({ namespace, name, uid }: LogOwner, container: string): string {
    return join(this.#root, `${namespace}_${name}_${uid}`, container);
  }

  /** The files of one attempt, oldest first; the last one is `<attempt>.log`, which may not exist yet. */
  async files(owner: LogOwner, container: string, attempt: number): Promise<string[]> {
    const folder = this.folder(owner, container);
    const current = `${attempt}.log`;
    const rotated = (await listLogFolder(folder)).filter(
      (name) => name.startsWith(`${current}.`) && ROTATED.test(name),
    );
    rotated.sort((a, b) => rotationOf(b) - rotationOf(a));
    return [...rotated, current].map((name) => join(folder, name));
  }

  async prepare(pod: Pod, containerName: string, attempt: number): Promise<string> {
    const folder = this.folder(ownerOf(pod), containerName);
    await makeLogFolder(folder);
    return join(folder, `${attempt}.log`);
  }

  async tail(pod: Pod, containerName: string, attempt: number): Promise<string> {
    const files = await this.files(ownerOf(pod), containerName, attempt);
    const file = await newestWithText(files);
    if (file === undefined) return '';
    try {
      const { offset } = await tailStart(file, FALLBACK_LINES);
      const from = Math.max(offset, (await file.size()) - FALLBACK_READ_BYTES);
      const bytes = await file.read(from, FALLBACK_READ_BYTES);
      const text = new CriOutput({ timestamps: false }).push(bytes);
      return text.subarray(Math.max(0, text.length - FALLBACK_BYTES)).toString('utf8');
    } finally {
      await file.close();
    }
  }

  async removeAttempt(podUid: string, containerName: string, attempt: number): Promise<void> {
    for (const pod of await this.#foldersOf(podUid)) {
      const folder = join(this.#root, pod, containerName);
      for (const name of await listLogFolder(folder)) {
        const isOfAttempt = name === `${attempt}.log` || name.startsWith(`${attempt}.log.`);
        if (isOfAttempt) await removeLogs(join(folder, name));
      }
    }
  }

  async remove(podUid: string): Promise<void> {
    for (const name of await this.#foldersOf(podUid)) await removeLogs(join(this.#root, name));
  }

  /**
   * Rotates every log that has outgrown `maxBytes`; of each there are `files` files then, the one that is written among them. To be
   * called now and then (with the heartbeat): engines write without a limit of their own. A call during another does nothing.
   */
  async bound(maxBytes = MAX_LOG_BYTES, files = MAX_LOG_FILES): Promise<void> {
    if (this.#isBounding) return;
    this.#isBounding = true;
    try {
      for (const pod of await listLogFolder(this.#root)) {
        for (const container of await listLogFolder(join(this.#root, pod))) {
          await this.#boundFolder(pod, container, maxBytes, files);
        }
      }
    } finally {
      this.#isBounding = false;
    }
  }

  async list(): Promise<string[]> {
    const uids = (await listLogFolder(this.#root)).map((name) => name.split('_')[2] ?? '');
    return uids.filter((uid) => uid !== '');
  }

  async #boundFolder(pod: string, container: string, maxBytes: number, files: number) {
    const folder = join(this.#root, pod, container);
    const names = await listLogFolder(folder);
    // One that was renamed and not made anew: the agent ended in between.
    const renamed = names.flatMap((name) => ROTATED.exec(name)?.[1] ?? []);
    const current = new Set([...names.filter((name) => /^\d+\.log$/.test(name)), ...renamed]);
    for (const name of current) {
      const path = join(folder, name);
      const isMissing = !names.includes(name);
      if (!isMissing && (await logSize(path)) <= maxBytes) continue;
      if (this.#writers === undefined) {
        if (!isMissing) await rotateInPlace(path, files - 1);
        continue;
      }
      const reopen = this.#writers(pod.split('_')[2] ?? '', container, Number.parseInt(name, 10));
      if (reopen === undefined) continue;
      if (!isMissing) await rotateByName(path, files - 1);
      await reopen();
    }
  }

  async #foldersOf(podUid: string): Promise<string[]> {
    if (podUid === '') return [];
    return (await listLogFolder(this.#root)).filter((name) => name.split('_')[2] === podUid);
  }
}

/** A log may be empty because it was rotated a moment ago. */
async function newestWithText(files: readonly string[]): Promise<LogFile | undefined> {
  for (const path of files.toReversed()) {
    if ((await logSize(path)) > 0) return await LogFile.open(path);
  }
  return undefined;
}

function ownerOf(pod: Pod): LogOwner {
  const { namespace = '', name, uid } = pod.metadata;
  return { namespace, name, uid };
}

/** Files under rotation; the engine's own files beside them (a raw log, one in preparation) are none. */
const ROTATED = /^(\d+\.log)\.(\d+)$/;

/** `0.log.2` is older than `0.log.1`. */
function rotationOf(name: string): number {
  return Number(ROTATED.exec(name)?.[2] ?? 0);
}
