import { join } from 'node:path';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import { LogFile, listLogFolder, makeLogFolder, removeLogs } from '../host/log-files.ts';
import type { PodLogs } from '../pods/collaborators.ts';
import { CriOutput } from './cri-log.ts';
import { tailStart } from './log-tail.ts';

/** What FallbackToLogsOnError takes: the last 80 lines, of them the last 2048 bytes. */
const FALLBACK_LINES = 80;
const FALLBACK_BYTES = 2048;
/** Of which at most this much is looked at. */
const FALLBACK_READ_BYTES = 64 * 1024;

/** Which pod's logs: `<namespace>_<name>_<uid>`; names hold no underscore. */
export interface LogOwner {
  namespace: string;
  name: string;
  uid: string;
}

/** The log files of this node: `<root>/<namespace>_<pod>_<uid>/<container>/<attempt>.log`, rotated ones with a suffix. */
export class LogFolders implements PodLogs {
  readonly #root: string;

  /** `root` is `DIR/agent/logs`. */
  constructor(root: string) {
    this.#root = root;
  }

  folder({ namespace, name, uid }: LogOwner, container: string): string {
    return join(this.#root, `${namespace}_${name}_${uid}`, container);
  }

  /** The files of one attempt, oldest first; the last one is `<attempt>.log`, which may not exist yet. */
  async files(owner: LogOwner, container: string, attempt: number): Promise<string[]> {
    const folder = this.folder(owner, container);
    const current = `${attempt}.log`;
    const rotated = (await listLogFolder(folder)).filter((name) => name.startsWith(`${current}.`));
    return [...rotated.sort(olderFirst), current].map((name) => join(folder, name));
  }

  async prepare(pod: Pod, containerName: string, attempt: number): Promise<string> {
    const folder = this.folder(ownerOf(pod), containerName);
    await makeLogFolder(folder);
    return join(folder, `${attempt}.log`);
  }

  async tail(pod: Pod, containerName: string, attempt: number): Promise<string> {
    const path = join(this.folder(ownerOf(pod), containerName), `${attempt}.log`);
    const file = await LogFile.open(path);
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

  async list(): Promise<string[]> {
    const uids = (await listLogFolder(this.#root)).map((name) => name.split('_')[2] ?? '');
    return uids.filter((uid) => uid !== '');
  }

  async #foldersOf(podUid: string): Promise<string[]> {
    if (podUid === '') return [];
    return (await listLogFolder(this.#root)).filter((name) => name.split('_')[2] === podUid);
  }
}

function ownerOf(pod: Pod): LogOwner {
  const { namespace = '', name, uid } = pod.metadata;
  return { namespace, name, uid };
}

/** `0.log.2` is older than `0.log.1`; times sort as they are. */
function olderFirst(a: string, b: string): number {
  const [first, second] = [suffix(a), suffix(b)];
  const areNumbers = /^\d{1,4}$/.test(first) && /^\d{1,4}$/.test(second);
  if (areNumbers) return Number(second) - Number(first);
  return first < second ? -1 : 1;
}

function suffix(name: string): string {
  return name.split('.').slice(2).join('.');
}
