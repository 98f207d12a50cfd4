/** Every capability, without the CAP_ prefix, at the place of its number in linux/capability.h. */
export const ALL_CAPABILITIES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
] as const;

/** What a container has before `securityContext.capabilities`, as with containerd under Kubernetes. */
const DEFAULT_CAPABILITIES: readonly string[] = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];

/**
 * The set a container gets: names in any case, with or without CAP_; `ALL` means each of them. Adding wins over dropping when both
 * name the same one, except that `drop: [X]` takes X out of `add: [ALL]`.
 */
export function grantedCapabilities(add: readonly string[], drop: readonly string[]): string[] {
  const added = new Set(add.map(capabilityName));
  const dropped = new Set(drop.map(capabilityName));
  const granted = new Set(startingSet(added.has('ALL'), dropped.has('ALL')));
  for (const name of dropped) granted.delete(name);
  for (const name of added) if (name !== 'ALL') granted.add(name);
  return [...granted].sort();
}

function startingSet(addAll: boolean, dropAll: boolean): readonly string[] {
  if (addAll) return ALL_CAPABILITIES;
  return dropAll ? [] : DEFAULT_CAPABILITIES;
}

/** `CAP_NET_ADMIN`, `net_admin` → `NET_ADMIN`. */
export function capabilityName(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, '');
}

/** Names of the bits set in a mask as in /proc/<pid>/status. */
export function capabilitiesOfMask(mask: bigint): Set<string> {
  return new Set(ALL_CAPABILITIES.filter((_name, bit) => ((mask >> BigInt(bit)) & 1n) === 1n));
}

/** `0`, `root`, and nothing at all (or only a group) are root. */
export function isRootUser(user: string): boolean {
  const name = user.split(':')[0] ?? '';
  return name === '' || name === '0' || name === 'root';
}
