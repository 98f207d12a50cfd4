import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { unitSettings } from './builders/unit-file.ts';

const settings = (side: string) =>
  unitSettings(readFileSync(new URL(`../systemd/skerry-${side}.service`, import.meta.url), 'utf8'));
const master = settings('master');
const agent = settings('agent');

/**
 * What makes a mount namespace (systemd.exec(5): sandboxing, credentials, images, log namespaces), a seccomp filter, sets no_new_privs or
 * takes from a container's root what is its own: with any of them the pinned namespaces of every pod are gone after a restart, or
 * sudo and setuid break inside the containers.
 */
const FORBIDDEN = [
  /^(Private|Protect|Restrict)[A-Z]/,
  /^(ProcSubset|NoNewPrivileges|LockPersonality|MemoryDenyWriteExecute|KeyringMode|SecureBits)$/,
  /^SystemCall/,
  /^(ReadOnly|ReadWrite|Inaccessible|Exec|NoExec)(Paths|Directories)$/,
  /^(Bind|BindReadOnly)Paths$/,
  /^(TemporaryFileSystem|MountFlags|MountAPIVFS|MountImages|Extension(Images|Directories))$/,
  /^Root(Directory|Image|Hash|Verity)/,
  /^(Load|Set|Import)Credential/,
  /^(Runtime|State|Cache|Logs|Configuration)Directory/,
  /^(NetworkNamespacePath|IPCNamespacePath|LogNamespace|DynamicUser|PAMName)$/,
  /^(User|Group|CapabilityBoundingSet|AmbientCapabilities|AppArmorProfile|SELinuxContext)$/,
  /^(Device(Policy|Allow)|IPAddress(Allow|Deny)|RemoveIPC|UMask)$/,
];

test('the agent gets no option that makes a mount namespace or a seccomp filter, nor no_new_privs', () => {
  const found = [...agent.keys()].filter((key) => FORBIDDEN.some((form) => form.test(key)));
  expect(found).toEqual([]);
});

test('each would be found: the master has some of every sort that hardens', () => {
  const found = [...master.keys()].filter((key) => FORBIDDEN.some((form) => form.test(key)));
  expect(found.length).toBeGreaterThan(20);
});

test('containers and their monitors outlive the agent, and one that dies of memory ends alone', () => {
  expect(Object.fromEntries(agent)).toMatchObject({
    KillMode: 'process',
    OOMPolicy: 'continue',
    MemoryHigh: '128M',
    MemoryMax: '384M',
  });
});

test('the master runs as a user of its own, without capabilities, and sees only its own part of the disk', () => {
  expect(Object.fromEntries(master)).toMatchObject({
    User: 'skerry',
    CapabilityBoundingSet: '',
    NoNewPrivileges: 'yes',
    ProtectSystem: 'strict',
    ProtectHome: 'yes',
    PrivateTmp: 'yes',
    StateDirectory: 'skerry/master',
  });
  // V8 compiles while it runs.
  expect(master.has('MemoryDenyWriteExecute')).toBe(false);
});

test.each([
  ['master', master],
  ['agent', agent],
])(
  'skerry-%s says when it is ready and that it lives, starts again for ever, and waits for no network',
  (side, unit) => {
    expect(Object.fromEntries(unit)).toMatchObject({
      Type: 'notify',
      NotifyAccess: 'all',
      Restart: 'always',
      StartLimitIntervalSec: '0',
      ExecStart: `/usr/lib/skerry/${side}/bin/skerry ${side} --config /etc/skerry/${side}.yaml`,
    });
    expect(Number(unit.get('WatchdogSec'))).toBeGreaterThanOrEqual(60);
    expect(`${unit.get('After')} ${unit.get('Wants')}`).not.toContain('network-online');
  },
);
