import { join } from 'node:path';
import { runCommand } from '../host/command.ts';
import { isMountPoint } from '../host/mounts.ts';
import { isPinnedNamespace, listPins, makePinFolder, removePinFolder } from '../host/pin-files.ts';

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
    await makePinFolder(this.#folder);
    if (isMountPoint(this.#folder)) return;
    await runCommand('mount', ['--bind', this.#folder, this.#folder]);
    await runCommand('mount', ['--make-private', this.#folder]);
  }

  path(podUid: string, kind: NamespaceKind): string {
    return join(this.#folder, podUid, kind);
  }

  /**
   * Makes and pins fresh namespaces, runs the script `inside` (POSIX sh) in them and then `outside` in the agent's own, all from one
   * process: each spawn costs milliseconds on a small device. Nothing is left behind when it throws.
   */
  async create(
    podUid: string,
    kinds: readonly NamespaceKind[],
    scripts: { inside: string; outside: string },
  ): Promise<void> {
    await this.remove(podUid);
    await makePinFolder(join(this.#folder, podUid));
    const pins = kinds.map((kind) => `--${kind}=${this.path(podUid, kind)}`);
    const touch = kinds.map((kind) => this.path(podUid, kind));
    try {
      // unshare(1) binds onto files that exist.
      await runCommand('sh', [
        '-ec',
        `: ${touch.map((file) => `>'${file}'`).join(' ')}\nunshare ${pins.map((pin) => `'${pin}'`).join(' ')} sh -ec "$1"\neval "$2"`,
        'sh',
        scripts.inside,
        scripts.outside,
      ]);
    } catch (error) {
      await this.remove(podUid);
      throw error;
    }
  }

  /** True when all of `kinds` are pinned in the kernel. */
  async exist(podUid: string, kinds: readonly NamespaceKind[]): Promise<boolean> {
    const pinned = await Promise.all(
      kinds.map((kind) => isPinnedNamespace(this.path(podUid, kind)).catch(() => false)),
    );
    return pinned.every(Boolean);
  }

  /** Unpins whatever is pinned for the pod; repeatable. */
  async remove(podUid: string): Promise<void> {
    const folder = join(this.#folder, podUid);
    const files = await listPins(folder);
    const pinned: string[] = [];
    for (const file of files) {
      const path = join(folder, file);
      if (await isPinnedNamespace(path)) pinned.push(path);
    }
    if (pinned.length > 0) await runCommand('umount', pinned);
    await removePinFolder(folder);
  }

  async list(): Promise<string[]> {
    return await listPins(this.#folder);
  }

  /** Unpins everything and gives the folder's own mount back: for `down --purge`. */
  async purge(): Promise<void> {
    for (const podUid of await this.list()) await this.remove(podUid);
    while (isMountPoint(this.#folder)) await runCommand('umount', [this.#folder]);
    await removePinFolder(this.#folder);
  }
}
