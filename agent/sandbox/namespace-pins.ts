import { mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../host/command.ts';
import { isMountPoint } from '../host/mounts.ts';

/** statfs(2): the file system of a pinned namespace. */
const NSFS_MAGIC = 0x6e736673;

export type NamespaceKind = 'net' | 'ipc' | 'uts';

/**
 * Namespaces kept alive by bind mounts, one folder per pod: `<folder>/<pod uid>/{net,ipc,uts}`. No process holds them, so no
 * process' death can take a pod's address away (CRI-O pins them the same way). The folder is a private mount: pins made in a shared
 * one are refused by the kernel (EINVAL).
 */
export class NamespacePins {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    if (isMountPoint(this.#folder)) return;
    await runCommand('mount', ['--bind', this.#folder, this.#folder]);
    await runCommand('mount', ['--make-private', this.#folder]);
  }

  path(podUid: string, kind: NamespaceKind): string {
    return join(this.#folder, podUid, kind);
  }

  /**
   * Makes and pins fresh namespaces and runs `script` (POSIX sh) inside them, in one process for all: each spawn costs milliseconds
   * on a small device. Nothing is left behind when it throws.
   */
  async create(podUid: string, kinds: readonly NamespaceKind[], script: string): Promise<void> {
    await this.remove(podUid);
    await mkdir(join(this.#folder, podUid), { recursive: true, mode: 0o700 });
    const pins = kinds.map((kind) => `--${kind}=${this.path(podUid, kind)}`);
    const touch = kinds.map((kind) => this.path(podUid, kind));
    try {
      // unshare(1) binds onto files that exist.
      await runCommand('sh', ['-c', `: ${touch.map((file) => `>'${file}'`).join(' ')}\nexec unshare ${pins.map((pin) => `'${pin}'`).join(' ')} sh -ec "$1"`, 'sh', script]);
    } catch (error) {
      await this.remove(podUid);
      throw error;
    }
  }

  /** True when all of `kinds` are pinned in the kernel. */
  async exist(podUid: string, kinds: readonly NamespaceKind[]): Promise<boolean> {
    const types = await Promise.all(
      kinds.map((kind) => statfs(this.path(podUid, kind)).then(({ type }) => type, () => 0)),
    );
    return types.every((type) => type === NSFS_MAGIC);
  }

  /** Unpins whatever is pinned for the pod; repeatable. */
  async remove(podUid: string): Promise<void> {
    const folder = join(this.#folder, podUid);
    const files = await readdir(folder).catch(() => []);
    const pinned: string[] = [];
    for (const file of files) {
      const path = join(folder, file);
      if ((await statfs(path)).type === NSFS_MAGIC) pinned.push(path);
    }
    if (pinned.length > 0) await runCommand('umount', pinned);
    await rm(folder, { recursive: true, force: true });
  }

  async list(): Promise<string[]> {
    return await readdir(this.#folder).catch(() => []);
  }

  /** Unpins everything and gives the folder's own mount back: for `down --purge`. */
  async purge(): Promise<void> {
    for (const podUid of await this.list()) await this.remove(podUid);
    while (isMountPoint(this.#folder)) await runCommand('umount', [this.#folder]);
    await rm(this.#folder, { recursive: true, force: true });
  }
}
