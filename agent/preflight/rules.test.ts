import { expect, test } from 'vitest';
import type { ListenerFacts, MachineSurvey, PreflightAim } from './facts.ts';
import type { Finding, Severity } from './finding.ts';
import { judgeMachine, RULES } from './rules.ts';
import { FIT_PI, PI_AIM } from './testing/recorded-machines.ts';

type Change = (machine: MachineSurvey) => Partial<MachineSurvey>;

function find(id: string, change: Change, aim: Partial<PreflightAim> = {}): Finding | undefined {
  const machine = { ...FIT_PI, ...change(FIT_PI) };
  return judgeMachine(machine, { ...PI_AIM, ...aim }).find((finding) => finding.id === id);
}

const listens = (listener: Partial<ListenerFacts>): Change => {
  const whole = {
    protocol: 'tcp' as const,
    address: '0.0.0.0',
    port: 0,
    process: '',
    isOurs: false,
  };
  return () => ({ listeners: [{ ...whole, ...listener }] });
};
const withoutTool =
  (...names: string[]): Change =>
  ({ tools }) => ({
    tools: Object.fromEntries(Object.entries(tools).filter(([name]) => !names.includes(name))),
  });

test('a board that is set up well is only told of its SD card', () => {
  const findings = judgeMachine(FIT_PI, PI_AIM);
  expect(findings.filter(({ severity }) => severity !== 'ok')).toEqual([]);
  expect(findings.find(({ id }) => id === 'sd-card')?.found).toContain('mmcblk0p2');
});

test('ids are unique', () => {
  expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length);
});

const CASES: readonly [
  what: string,
  id: string,
  severity: Severity,
  change: Change,
  says: RegExp,
  todo: RegExp,
][] = [
  ['an ordinary user', 'root', 'warning', () => ({ isRoot: false }), /root/, /sudo/],
  ['a MIPS board', 'architecture', 'error', () => ({ architecture: 'mips' }), /mips/, /aarch64/],
  ['32 bits', 'architecture', 'warning', () => ({ architecture: 'armv7l' }), /32 bits/, /64-bit/],
  ['an old Node.js', 'node', 'error', () => ({ nodeMajor: 18 }), /18/, /archive/],
  ['a container', 'systemd', 'warning', () => ({ systemd: false }), /systemd/, /service manager/],
  ['a small board', 'memory', 'warning', () => ({ memoryTotalBytes: 2 ** 28 }), /256 MiB/, /agent/],
  [
    'the name of the image',
    'host-name',
    'warning',
    () => ({ hostName: 'raspberrypi' }),
    /raspberrypi/,
    /--node-name/,
  ],
  [
    'a kernel without veth',
    'kernel-veth',
    'error',
    ({ probes }) => ({
      probes: { ...probes, veth: { works: false, detail: 'Unknown device type' } },
    }),
    /Unknown device type/,
    /modprobe veth/,
  ],
  [
    'a kernel without nftables',
    'kernel-nft',
    'warning',
    ({ probes }) => ({ probes: { ...probes, nft: { works: false, detail: 'Not supported' } } }),
    /Not supported/,
    /CONFIG_NF_TABLES/,
  ],
  [
    'both cgroup versions',
    'cgroups',
    'warning',
    ({ cgroups }) => ({ cgroups: { ...cgroups, mode: 'hybrid' } }),
    /hybrid/,
    /unified_cgroup_hierarchy=1/,
  ],
  [
    'crun alone on a hybrid machine',
    'oci-runtime',
    'error',
    ({ cgroups }) => ({ cgroups: { ...cgroups, mode: 'hybrid' } }),
    /both cgroup versions/,
    /install runc/,
  ],
  [
    'no pids controller',
    'other-controllers',
    'warning',
    ({ cgroups }) => ({ cgroups: { ...cgroups, controllers: ['memory', 'cpu'] } }),
    /pids/,
    /CONFIG_CGROUP_PIDS/,
  ],
  [
    'forwarding that cannot be turned on',
    'forwarding',
    'error',
    () => ({ forwarding: { enabled: false, canEnable: false } }),
    /cannot be written/,
    /sysctl -w/,
  ],
  [
    'a denial',
    'security-modules',
    'warning',
    () => ({
      security: { appArmor: true, seLinux: 'off', denials: ['apparmor="DENIED" comm="crun"'] },
    }),
    /DENIED/,
    /aa-status/,
  ],
  [
    'no engine',
    'engine',
    'error',
    () => ({ podman: undefined }),
    /neither podman nor containerd/,
    /apt-get install podman/,
  ],
  ['an old podman', 'engine', 'warning', () => ({ podman: '3.0.1' }), /3\.0\.1/, /bookworm/],
  [
    'a podman that does not start',
    'engine',
    'error',
    () => ({ podman: 'of no known version (no such image store)' }),
    /no such image store/,
    /podman info/,
  ],
  ['podman without conmon', 'engine', 'error', withoutTool('conmon'), /conmon/, /install conmon/],
  [
    'a containerd that does not run',
    'engine',
    'error',
    () => ({ podman: undefined, containerd: { version: '1.6.20', answers: false } }),
    /does not answer/,
    /enable --now containerd/,
  ],
  [
    'containerd without runc',
    'oci-runtime',
    'error',
    () => ({ podman: undefined, containerd: { version: '1.6.20', answers: true } }),
    /with containerd/,
    /install runc/,
  ],
  ['no OCI runtime', 'oci-runtime', 'error', withoutTool('crun', 'runc'), /neither/, /crun/],
  ['no nft', 'nft', 'warning', withoutTool('nft'), /not installed/, /install nftables/],
  ['no iproute2', 'ip', 'error', withoutTool('ip'), /not installed/, /install iproute2/],
  ['no conntrack', 'conntrack', 'warning', withoutTool('conntrack'), /not installed/, /conntrack/],
  ['no unshare', 'unshare', 'error', withoutTool('unshare'), /not installed/, /util-linux/],
  [
    'a card that turned read-only',
    'disk',
    'error',
    ({ disk }) => ({ disk: { ...disk, readOnly: true } }),
    /read-only/,
    /remount,rw/,
  ],
  [
    'a full disk',
    'disk',
    'error',
    ({ disk }) => ({ disk: { ...disk, availableBytes: 5_000_000 } }),
    /4 of 29696 MiB/,
    /make room/,
  ],
  [
    'a disk that is nearly full',
    'disk',
    'warning',
    ({ disk }) => ({ disk: { ...disk, availableBytes: 900 * 1024 * 1024 } }),
    /900 of/,
    /--data-dir/,
  ],
  [
    'swap on the card',
    'swap',
    'warning',
    ({ disk }) => ({ disk: { ...disk, swapOnSdCard: ['/var/swap'] } }),
    /\/var\/swap/,
    /zram/,
  ],
  [
    'a clock in 1970',
    'time',
    'error',
    ({ time }) => ({ time: { ...time, nowMs: 60_000 } }),
    /1970-01-01T00:01:00Z, which is before/,
    /set-ntp true/,
  ],
  [
    'a clock that nobody keeps',
    'time',
    'warning',
    ({ time }) => ({ time: { ...time, synchronised: false } }),
    /not synchronised/,
    /set-ntp/,
  ],
  [
    'a clock an hour behind the master',
    'time',
    'error',
    ({ server }) => ({
      server: server && {
        ...server,
        answer: { status: 200, dateMs: Date.parse('2026-12-01T11:00:00Z') },
      },
    }),
    /the master's 2026-12-01T11:00:00Z/,
    /on both/,
  ],
  [
    'nginx on 6443',
    'api-port',
    'error',
    listens({ port: 6443, process: 'nginx' }),
    /nginx/,
    /--listen/,
  ],
  [
    'somebody unseen on 6443',
    'api-port',
    'warning',
    (fit) => ({ ...listens({ port: 6443, process: '' })(fit), isRoot: false }),
    /only root sees/,
    /sudo/,
  ],
  [
    'dnsmasq everywhere',
    'dns-port',
    'error',
    listens({ protocol: 'udp', port: 53, process: 'dnsmasq' }),
    /dnsmasq/,
    /bind-dynamic/,
  ],
  [
    'a program on 30080',
    'node-ports',
    'warning',
    listens({ port: 30080, process: 'hass' }),
    /30080 by hass/,
    /below/,
  ],
  [
    'a VPN with the addresses of pods',
    'addresses',
    'error',
    () => ({ routes: [{ destination: '10.0.0.0/8', device: 'tun0', isOurs: false }] }),
    /--cluster-cidr 10\.42\.0\.0\/16 and 10\.0\.0\.0\/8 on tun0; --service-cidr/,
    /10\.142\.0\.0\/16/,
  ],
  [
    'a master with an address of pods, behind the default route',
    'addresses',
    'error',
    ({ server }) => ({ server: server && { ...server, addresses: ['10.42.7.1'] } }),
    /--cluster-cidr 10\.42\.0\.0\/16 and the master, 10\.42\.7\.1/,
    /other ranges/,
  ],
  [
    'Docker, which drops what it does not know',
    'firewall',
    'warning',
    () => ({ droppingForwardChains: ['ip filter FORWARD'] }),
    /ip filter FORWARD/,
    /ACCEPT/,
  ],
  [
    'k3s',
    'other-kubernetes',
    'warning',
    () => ({ otherKubernetes: ['k3s (running)'] }),
    /k3s/,
    /uninstall/,
  ],
  [
    'a name that does not resolve',
    'master-name',
    'error',
    ({ server }) => ({ server: server && { ...server, addresses: undefined, answer: undefined } }),
    /hub\.lan does not resolve/,
    /\/etc\/hosts/,
  ],
  [
    'a master that does not answer',
    'master-reachable',
    'error',
    ({ server }) => ({
      server: server && { ...server, answer: { failure: 'connect ECONNREFUSED' } },
    }),
    /ECONNREFUSED/,
    /firewall/,
  ],
];

test.each(CASES)('%s: %s is %s', (_what, id, severity, change, says, todo) => {
  const finding = find(id, change);
  expect(finding).toMatchObject({ severity });
  expect(finding?.found).toMatch(says);
  expect(finding?.why).toMatch(/./);
  expect(finding?.remedy).toMatch(todo);
});

test.each(RULES.filter(({ id }) => id !== 'sd-card' && !id.startsWith('kernel-')))(
  '$id has a case in which it is not ok',
  ({ id }) => {
    expect([...CASES.map(([, known]) => known), 'memory-controller']).toContain(id);
  },
);

test('what only a master needs is not asked of a device', () => {
  const ids = judgeMachine(FIT_PI, { ...PI_AIM, role: 'agent' }).map(({ id }) => id);
  expect(ids).not.toContain('api-port');
  expect(ids).toContain('engine');
});

test('what only a device needs is not asked of a master', () => {
  const ids = judgeMachine(FIT_PI, { ...PI_AIM, role: 'master' }).map(({ id }) => id);
  expect(ids).toContain('api-port');
  expect(ids).not.toContain('engine');
});

test('ports and routes of Skerry itself are in nobody’s way', () => {
  const change: Change = () => ({
    ...listens({ port: 6443, process: 'node', isOurs: true })(FIT_PI),
    routes: [{ destination: '10.42.1.0/24', device: 'eth0', isOurs: true }],
  });
  expect(find('api-port', change)).toMatchObject({
    severity: 'ok',
    found: expect.stringContaining("Skerry's own"),
  });
  expect(find('addresses', change)).toMatchObject({ severity: 'ok' });
});

test('a device that does not know its master’s ranges is only warned of a clash with the usual ones', () => {
  const routes = () => ({
    routes: [{ destination: '10.42.3.0/24', device: 'wg0', isOurs: false }],
  });
  expect(find('addresses', routes, { rangesKnown: false })).toMatchObject({ severity: 'warning' });
});

test('pods and services with the same addresses are a clash', () => {
  expect(find('addresses', () => ({}), { serviceCidr: '10.42.128.0/17' })).toMatchObject({
    severity: 'error',
    found: expect.stringContaining('--cluster-cidr 10.42.0.0/16 and --service-cidr 10.42.128.0/17'),
  });
});

test('kernel features that could not be tried are not mentioned', () => {
  expect(find('kernel-veth', () => ({ probes: {} }))).toBeUndefined();
});

const OFF = ['cpuset', 'cpu', 'io', 'pids'];
const bootLine = (text: string, kernelCommandLine = 'console=tty1'): Change => {
  const path = '/boot/firmware/cmdline.txt';
  return ({ cgroups }) => ({
    cgroups: { ...cgroups, controllers: OFF, kernelCommandLine, bootLine: { path, text } },
  });
};

test('a Raspberry Pi without the memory controller is told which words to add where', () => {
  const finding = find('memory-controller', bootLine('console=tty1 rootwait\n'));
  expect(finding).toMatchObject({ severity: 'error', fixable: true });
  expect(finding?.remedy).toBe(
    'in /boot/firmware/cmdline.txt: add cgroup_enable=memory cgroup_memory=1 to the end of its one line, then reboot; `skerry check --fix` does the edit',
  );
});

test('when the words are there and were not booted with, a reboot is due', () => {
  const words = 'console=tty1 cgroup_enable=memory cgroup_memory=1\n';
  expect(find('memory-controller', bootLine(words))?.remedy).toBe('reboot');
  expect(find('memory-controller', bootLine(words, words))?.remedy).toContain('CONFIG_MEMCG');
});

test('a line that turns it off is told what to lose', () => {
  const words = 'cgroup_disable=memory cgroup_enable=memory cgroup_memory=1\n';
  expect(find('memory-controller', bootLine(words))?.remedy).toContain(
    'take cgroup_disable=memory out of it',
  );
});

test('elsewhere the boot loader is named', () => {
  const change: Change = ({ cgroups }) => ({
    cgroups: { ...cgroups, controllers: OFF, bootLine: undefined },
  });
  expect(find('memory-controller', change)?.remedy).toContain('/etc/default/grub');
});
