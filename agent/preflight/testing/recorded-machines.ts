import type { MachineSurvey, PreflightAim } from '../facts.ts';
import { KERNEL_PROBES, type ProbeName } from '../kernel-probes.ts';

const GIB = 1024 ** 3;

/** A Raspberry Pi 4 with Raspberry Pi OS bookworm, set up as its documentation says, with the memory controller on. */
export const FIT_PI: MachineSurvey = {
  isRoot: true,
  architecture: 'aarch64',
  kernelRelease: '6.12.25+rpt-rpi-v8',
  model: 'Raspberry Pi 4 Model B Rev 1.4',
  hostName: 'pi-kitchen',
  nodeMajor: 20,
  systemd: true,
  memoryTotalBytes: 3.7 * GIB,
  probes: Object.fromEntries(
    Object.keys(KERNEL_PROBES).map((name) => [name, { works: true, detail: '' }]),
  ) as Record<ProbeName, { works: true; detail: '' }>,
  cgroups: {
    mode: 'unified',
    controllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
    kernelCommandLine: 'console=tty1 root=PARTUUID=1 cgroup_enable=memory cgroup_memory=1',
    bootLine: {
      path: '/boot/firmware/cmdline.txt',
      text: 'console=tty1 root=PARTUUID=1 cgroup_enable=memory cgroup_memory=1\n',
    },
  },
  time: { nowMs: Date.parse('2026-12-01T10:00:00Z'), synchronised: true },
  podman: '4.3.1',
  containerd: undefined,
  tools: {
    podman: '4.3.1',
    crun: '1.8.1',
    conmon: '2.1.6',
    nft: '1.0.6',
    ip: '6.1.0',
    conntrack: '1.4.7',
    unshare: '2.38.1',
  },
  disk: {
    path: '/var/lib',
    availableBytes: 20 * GIB,
    totalBytes: 29 * GIB,
    readOnly: false,
    device: 'mmcblk0p2',
    isSdCard: true,
    swapOnSdCard: [],
  },
  routes: [{ destination: '192.168.1.0/24', device: 'eth0', isOurs: false }],
  listeners: [
    { protocol: 'tcp', address: '0.0.0.0', port: 22, process: 'sshd', isOurs: false },
    { protocol: 'udp', address: '127.0.0.53', port: 53, process: 'systemd-resolve', isOurs: false },
  ],
  droppingForwardChains: [],
  forwarding: { enabled: false, canEnable: true },
  security: { appArmor: false, seLinux: 'off', denials: [] },
  otherKubernetes: [],
  server: {
    url: 'https://hub.lan:6443',
    host: 'hub.lan',
    addresses: ['192.168.1.10'],
    answer: { status: 200, dateMs: Date.parse('2026-12-01T10:00:01Z') },
  },
};

export const PI_AIM: PreflightAim = {
  role: 'both',
  listenPort: 6443,
  clusterCidr: '10.42.0.0/16',
  serviceCidr: '10.43.0.0/16',
  rangesKnown: true,
  releasedMs: Date.parse('2026-11-20T00:00:00Z'),
};
