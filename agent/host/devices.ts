import { readdirSync, statSync } from 'node:fs';

export interface HostDevice {
  path: string;
  type: 'c' | 'b';
  major: number;
  minor: number;
  fileMode: number;
  uid: number;
  gid: number;
}

/** Folders of /dev that a container gets as mounts of its own. */
const OWN_FOLDERS = new Set(['/dev/pts', '/dev/shm', '/dev/fd', '/dev/mqueue', '/dev/console']);

/** Every device node under /dev, for privileged containers. */
export function hostDevices(folder = '/dev'): HostDevice[] {
  const devices: HostDevice[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (OWN_FOLDERS.has(path)) continue;
    if (entry.isDirectory()) devices.push(...hostDevices(path));
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) continue;
    const { rdev, mode, uid, gid } = statSync(path, { bigint: true });
    devices.push({
      path,
      type: entry.isBlockDevice() ? 'b' : 'c',
      ...deviceNumbers(rdev),
      fileMode: Number(mode & 0o777n),
      uid: Number(uid),
      gid: Number(gid),
    });
  }
  return devices;
}

/** As the C library packs them into dev_t. */
function deviceNumbers(rdev: bigint): { major: number; minor: number } {
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & ~0xffn)),
  };
}
