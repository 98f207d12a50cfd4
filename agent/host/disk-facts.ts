import { accessSync, constants, realpathSync, statfsSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { readSmallFile } from './small-files.ts';

export interface FolderDisk {
  /** The folder itself, or the nearest one above it that exists. */
  path: string;
  availableBytes: number;
  totalBytes: number;
  readOnly: boolean;
  /** `mmcblk0p2`; '' when the file system has no block device. */
  device: string;
}

/** The file system on which `folder` is, or will be. */
export function diskOf(folder: string): FolderDisk {
  let path = folder;
  while (statSync(path, { throwIfNoEntry: false }) === undefined) path = dirname(path);
  const { bavail, blocks, bsize } = statfsSync(path);
  return {
    path,
    availableBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    readOnly: isReadOnly(path),
    device: blockDevice(statSync(path, { bigint: true }).dev),
  };
}

/** Whether the block device (or the disk of the partition) is an SD card: MMC by bus, SD by type; soldered eMMC is none. */
export function isSdCard(device: string): boolean {
  const disk = /^mmcblk\d+/.exec(device)?.[0];
  return disk !== undefined && readSmallFile(`/sys/block/${disk}/device/type`)?.trim() !== 'MMC';
}

/** Swap areas: devices and files (proc(5), swaps). */
export function swapAreas(): string[] {
  const lines = (readSmallFile('/proc/swaps') ?? '').split('\n').slice(1);
  return lines.flatMap((line) => line.split(/\s/)[0] || []);
}

/** The block device of a swap area. */
export function deviceOfSwap(area: string): string {
  if (area.startsWith('/dev/')) return basename(area);
  const stat = statSync(area, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? '' : blockDevice(stat.dev);
}

/** For root only a file system mounted read-only refuses. */
export function isReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}

/** Linux' encoding of dev_t: gnu_dev_major and gnu_dev_minor (sysmacros.h). */
function blockDevice(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  try {
    return basename(realpathSync(`/sys/dev/block/${major}:${minor}`));
  } catch {
    return '';
  }
}
