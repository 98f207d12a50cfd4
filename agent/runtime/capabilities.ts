/** What a container has before `securityContext.capabilities`, as with containerd under Kubernetes. */
const DEFAULT_CAPABILITIES = [
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
] as const;

const OTHER_CAPABILITIES = [
  'AUDIT_CONTROL',
  'AUDIT_READ',
  'BLOCK_SUSPEND',
  'BPF',
  'CHECKPOINT_RESTORE',
  'DAC_READ_SEARCH',
  'IPC_LOCK',
  'IPC_OWNER',
  'LEASE',
  'LINUX_IMMUTABLE',
  'MAC_ADMIN',
  'MAC_OVERRIDE',
  'NET_ADMIN',
  'NET_BROADCAST',
  'PERFMON',
  'SYSLOG',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_MODULE',
  'SYS_NICE',
  'SYS_PACCT',
  'SYS_PTRACE',
  'SYS_RAWIO',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'WAKE_ALARM',
] as const;

/** Every capability of Linux 5.9 and later, without the CAP_ prefix, sorted. */
export const ALL_CAPABILITIES: readonly string[] = [
  ...DEFAULT_CAPABILITIES,
  ...OTHER_CAPABILITIES,
].sort();

/**
 * The set a container gets: names in any case, with or without CAP_; `ALL` means each of them. Adding wins over dropping when both
 * name the same one, except that `drop: [X]` takes X out of `add: [ALL]`.
 */
export function grantedCapabilities(add: readonly string[], drop: readonly string[]): string[] {
  const added = new Set(add.map(capabilityName));
  const dropped = new Set(drop.map(capabilityName));
  const granted = new Set<string>(
    added.has('ALL') ? ALL_CAPABILITIES : dropped.has('ALL') ? [] : DEFAULT_CAPABILITIES,
  );
  for (const name of dropped) granted.delete(name);
  for (const name of added) if (name !== 'ALL') granted.add(name);
  return [...granted].sort();
}

/** `CAP_NET_ADMIN`, `net_admin` → `NET_ADMIN`. */
export function capabilityName(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, '');
}

/** `0`, `root`, and nothing at all (or only a group) are root. */
export function isRootUser(user: string): boolean {
  const name = user.split(':')[0] ?? '';
  return name === '' || name === '0' || name === 'root';
}
