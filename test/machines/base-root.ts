import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../e2e/run.ts';

export const MACHINES_CACHE = new URL('../../.cache/machines', import.meta.url).pathname;

const SUITE = 'bookworm';
const SYSTEM = [
  ...['systemd', 'systemd-sysv', 'dbus', 'udev', 'ca-certificates', 'iproute2', 'procps', 'kmod'],
  'libstdc++6',
];
/** What install.sh asks of the distribution: the machines have no way to a mirror. */
const FOR_SKERRY = ['podman', 'runc', 'nftables', 'conntrack', 'busybox-static', 'bash-completion'];

/**
 * What systemd-nspawn gives read-only and a computer does not. Controllers of the old cgroup hierarchy: without them no container has a
 * limit (with the unified hierarchy there is nothing to do). And the name of a pod's own UTS namespace, through a second view of /proc,
 * since the rest of /proc/sys is this host's.
 */
const WRITABLE = `[Unit]
Description=What a computer may write
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'for at in $(sed -n "s/^cgroup \\\\(\\\\S*\\\\) cgroup ro.*/\\\\1/p" /proc/self/mounts); do mount -o remount,rw,bind $at; done'
ExecStart=/bin/sh -c 'mkdir /run/proc && mount -t proc proc /run/proc && mount --bind /run/proc/sys/kernel/hostname /proc/sys/kernel/hostname && umount /run/proc && rmdir /run/proc'
[Install]
WantedBy=sysinit.target
`;

const FILES: Record<string, string> = {
  'etc/systemd/system/writable.service': WRITABLE,
  // The empty file: nothing is mounted at boot.
  'etc/fstab': '',
  'etc/resolv.conf': '',
};

const UNITS = ['writable', 'systemd-networkd', 'systemd-networkd-wait-online'];
/** What writes, wakes up or fetches by itself. */
const NOT_UNITS = [
  ...['podman.service', 'podman.socket', 'podman-restart', 'podman-auto-update.timer'],
  ...['podman-auto-update.service', 'apt-daily.timer', 'apt-daily-upgrade.timer'],
  ...['dpkg-db-backup.timer', 'e2scrub_all.timer', 'e2scrub_reap'],
];

/**
 * The root of a fresh Debian with everything that install.sh wants of the distribution, as debootstrap makes it. It is made once (a
 * minute) and kept under .cache/machines by the sum of its recipe; machines lay their own layer over it. Needs root and a mirror.
 */
export async function baseRoot(): Promise<string> {
  const recipe = JSON.stringify([SUITE, SYSTEM, FOR_SKERRY, FILES, UNITS, NOT_UNITS]);
  const key = createHash('sha256').update(recipe).digest('hex').slice(0, 12);
  const root = join(MACHINES_CACHE, `base-${key}`);
  if (existsSync(root)) return root;
  mkdirSync(MACHINES_CACHE, { recursive: true });
  for (const name of readdirSync(MACHINES_CACHE)) {
    if (name.startsWith('base-')) removeTree(join(MACHINES_CACHE, name));
  }
  const part = `${root}.part`;
  await make(part);
  renameSync(part, root);
  return root;
}

async function make(root: string): Promise<void> {
  const limit = { timeoutMs: 400_000 };
  const include = `--include=${SYSTEM.join(',')}`;
  await mustRun('debootstrap', ['--variant=minbase', include, SUITE, root], limit);
  // debootstrap itself cannot resolve podman's virtual dependencies.
  const install = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...FOR_SKERRY];
  await mustRun('cp', ['--dereference', '/etc/resolv.conf', join(root, 'etc/resolv.conf')]);
  writeFileSync(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  await mustRun('chroot', [root, 'env', 'DEBIAN_FRONTEND=noninteractive', ...install], limit);
  await mustRun('chroot', [root, 'apt-get', 'clean']);
  rmSync(join(root, 'usr/sbin/policy-rc.d'));
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(root, path), text);
  await mustRun('chroot', [root, 'systemctl', 'enable', ...UNITS]);
  await mustRun('chroot', [root, 'systemctl', 'disable', ...NOT_UNITS]);
}

function removeTree(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
