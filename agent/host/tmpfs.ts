import { mkdir, statfs } from 'node:fs/promises';
import { runCommand } from './command.ts';
import { isMountPoint, mountPoints } from './mounts.ts';

/** statfs(2) f_type of tmpfs and ramfs: what never reaches a disk. */
const MEMORY_FILE_SYSTEMS: readonly number[] = [0x01021994, 0x858458f6];

/** Makes the folder, 0700, and sees to it that it lies in memory: on the tmpfs that is there, else on one of its own. */
export async function ensureMemoryFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (MEMORY_FILE_SYSTEMS.includes((await statfs(path)).type)) return;
  // noswap needs Linux 6.4; without it the kernel refuses the mount.
  const noSwap = await mountTmpfs(path, 'mode=0700,noswap', true);
  if (!noSwap) await mountTmpfs(path, 'mode=0700', false);
}

/**
 * A tmpfs of its own at `path`, at most `sizeBytes` large, open to everyone (`options` of mount(8) may say otherwise). Answers whether
 * it is new: one that is there is left alone.
 */
export async function ensureTmpfs(
  path: string,
  sizeBytes: number | undefined,
  options = 'mode=0777',
): Promise<boolean> {
  await mkdir(path, { recursive: true });
  if (isMountPoint(path)) return false;
  const size = sizeBytes === undefined ? '' : `,size=${sizeBytes}`;
  await mountTmpfs(path, `${options}${size}`, false);
  return true;
}

/** Unmounts everything at and under `path`, the innermost first; what is busy goes when its last user does. */
export async function unmountUnder(path: string): Promise<void> {
  const inside = mountsUnder(path).sort((a, b) => b.length - a.length);
  for (const point of inside) await runCommand('umount', ['-l', point]);
}

export function mountsUnder(path: string): string[] {
  return mountPoints().filter((point) => point === path || point.startsWith(`${path}/`));
}

async function mountTmpfs(path: string, options: string, mayFail: boolean): Promise<boolean> {
  const result = await runCommand('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], {
    allowFailure: mayFail,
  });
  return result.exitCode === 0;
}
