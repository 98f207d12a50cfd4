import type { Machine } from './machine.ts';

/** Everything on a machine that an installation could leave behind, counted by listing it. */
const LISTINGS: Record<string, string> = {
  processes: `ps -eo args --no-headers | grep -v -E '^(\\[|ps |sort|grep|sh -c|/lib/systemd|/sbin/|/usr/lib/systemd|/usr/bin/dbus|\\(|systemctl)'`,
  containers: `podman ps -a --format '{{.Names}}'`,
  // Without the number of the peer, which is another after a reboot.
  links: 'ip -o link | cut -d: -f2 | cut -d@ -f1',
  routes: 'ip route show table all',
  rules: 'nft list tables',
  namespaces: 'ls /run/netns 2>/dev/null; lsns -n -r -o TYPE,COMMAND | grep -v /systemd',
  mounts: `cut -d' ' -f2 /proc/self/mounts`,
  cgroups: `find /sys/fs/cgroup -type d \\( -path '*skerry*' -o -path '*libpod*' -o -path '*pod*' \\)`,
  units: `systemctl list-unit-files --no-legend | cut -d' ' -f1; systemctl list-units --all --no-legend 'skerry*'`,
  users: 'cut -d: -f1 /etc/passwd /etc/group',
  files: `find / -xdev \\( -path /proc -o -path /sys -o -path /var/log/journal -o -regex "/etc/\\(passwd\\|group\\|shadow\\|gshadow\\)-?" -o -path /tmp/systemd-private-\\* \\) -prune -o -newer /etc/machine-id -type f -print`,
  folders:
    'ls -d /etc/skerry /usr/lib/skerry /var/lib/skerry /run/skerry /usr/bin/skerry 2>/dev/null',
  stored: 'find /etc /usr /var/lib /run -xdev -iname "*skerry*" -not -path "/var/lib/containers/*"',
};

/** By kind, sorted lines. */
export async function tracesOf(machine: Machine): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const [kind, listing] of Object.entries(LISTINGS)) {
    const { stdout } = await machine.run(listing);
    found[kind] = [...new Set(stdout.split('\n').filter(Boolean))].sort();
  }
  return found;
}

/** What is there that was not before. */
export function newTraces(
  before: Record<string, string[]>,
  after: Record<string, string[]>,
): Record<string, string[]> {
  const isNew = (kind: string) => (line: string) => !before[kind]?.includes(line);
  return Object.fromEntries(
    Object.entries(after)
      .map(([kind, lines]) => [kind, lines.filter(isNew(kind))] as const)
      .filter(([, lines]) => lines.length > 0),
  );
}
