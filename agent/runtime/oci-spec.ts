import { grantedCapabilities } from './capabilities.ts';
import { environmentOf } from './container-environment.ts';
import type { ContainerSpec, ImageConfig } from './runtime.ts';

/** What the machine and the unpacked image add to a ContainerSpec. */
export interface OciSurroundings {
  /** The mounted root filesystem. */
  rootPath: string;
  image: ImageConfig;
  user: OciUser;
  /** Below the pod's cgroup. */
  cgroupsPath: string;
  cgroupVersion: 1 | 2;
  /** Whether the kernel accounts swap; where it does not, a swap limit would be refused. */
  swapLimit: boolean;
  /** Capabilities that this process itself may hand on. */
  availableCapabilities: ReadonlySet<string>;
  /** For privileged containers. */
  hostDevices: readonly OciDevice[];
  annotations: Readonly<Record<string, string>>;
}

export interface OciUser {
  uid: number;
  gid: number;
  additionalGids: readonly number[];
  home: string;
}

export interface OciDevice {
  path: string;
  type: 'c' | 'b';
  major: number;
  minor: number;
  fileMode: number;
  uid: number;
  gid: number;
}

interface OciMount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

const MASKED_PATHS = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];

const READ_ONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** The OCI runtime specification 1.0 of one container, complete: nothing of the engine's own defaults is left to chance. */
export function ociSpec(spec: ContainerSpec, around: OciSurroundings): Record<string, unknown> {
  const { privileged, readOnlyRootFilesystem } = spec.security;
  return {
    ociVersion: '1.0.2',
    process: processOf(spec, around),
    root: { path: around.rootPath, readonly: readOnlyRootFilesystem },
    mounts: [...systemMounts(spec, around), ...ownMounts(spec)],
    annotations: around.annotations,
    linux: {
      cgroupsPath: around.cgroupsPath,
      namespaces: namespacesOf(spec, around.cgroupVersion),
      resources: resourcesOf(spec, around),
      devices: privileged ? around.hostDevices : [],
      maskedPaths: privileged ? [] : MASKED_PATHS,
      readonlyPaths: privileged ? [] : READ_ONLY_PATHS,
    },
  };
}

function processOf(spec: ContainerSpec, around: OciSurroundings): Record<string, unknown> {
  const { security } = spec;
  const wanted = security.privileged
    ? [...around.availableCapabilities]
    : grantedCapabilities(security.addCapabilities, security.dropCapabilities);
  const capabilities = wanted
    .filter((name) => around.availableCapabilities.has(name))
    .map((name) => `CAP_${name}`);
  const { uid, gid, additionalGids } = around.user;
  return {
    terminal: false,
    user: { uid, gid, additionalGids },
    args: argumentsOf(spec, around.image),
    env: processEnvironment(spec, around),
    cwd: spec.workingDir || around.image.workingDir || '/',
    // Inheritable and ambient stay empty: a process that is not root gains capabilities only through files that have them.
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    noNewPrivileges: !security.privileged && !security.allowPrivilegeEscalation,
    oomScoreAdj: spec.limits.oomScoreAdj,
  };
}

/** Kubernetes' command replaces ENTRYPOINT and, without args, also drops CMD; args alone replace CMD. */
export function argumentsOf(
  { command = [], args = [] }: Pick<ContainerSpec, 'command' | 'args'>,
  image: Pick<ImageConfig, 'entrypoint' | 'cmd'>,
): string[] {
  if (command.length > 0) return [...command, ...args];
  return [...image.entrypoint, ...(args.length > 0 ? args : image.cmd)];
}

function processEnvironment(spec: ContainerSpec, { image, user }: OciSurroundings): string[] {
  const values = new Map([['HOME', user.home], ...environmentOf(spec, image.env)]);
  return [...values].map(([name, value]) => `${name}=${value}`);
}

function systemMounts(spec: ContainerSpec, { cgroupVersion }: OciSurroundings): OciMount[] {
  const access = spec.security.privileged ? 'rw' : 'ro';
  const mount = (destination: string, type: string, source: string, options: string): OciMount => ({
    destination,
    type,
    source,
    options: options.split(','),
  });
  const cgroupOptions = `nosuid,noexec,nodev,relatime,${access}`;
  const mounts = [
    mount('/proc', 'proc', 'proc', 'nosuid,noexec,nodev'),
    mount('/dev', 'tmpfs', 'tmpfs', 'nosuid,strictatime,mode=755,size=65536k'),
    mount(
      '/dev/pts',
      'devpts',
      'devpts',
      'nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5',
    ),
    mount('/dev/shm', 'tmpfs', 'shm', 'nosuid,noexec,nodev,mode=1777,size=65536k'),
    mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid,noexec,nodev'),
    mount('/sys', 'sysfs', 'sysfs', `nosuid,noexec,nodev,${access}`),
    mount('/sys/fs/cgroup', cgroupVersion === 2 ? 'cgroup2' : 'cgroup', 'cgroup', cgroupOptions),
  ];
  const replaced = new Set(spec.mounts.map(({ target }) => target));
  return mounts.filter(({ destination }) => !replaced.has(destination));
}

function ownMounts(spec: ContainerSpec): OciMount[] {
  return spec.mounts.map(({ source, target, readOnly }) => ({
    destination: target,
    type: 'bind',
    source,
    options: ['rbind', 'rprivate', readOnly ? 'ro' : 'rw'],
  }));
}

function namespacesOf(
  spec: ContainerSpec,
  cgroupVersion: 1 | 2,
): { type: string; path?: string }[] {
  const shared = Object.entries(spec.namespaces)
    .filter(([, path]) => path !== 'host')
    .map(([type, path]) => ({ type, path }));
  return [
    { type: 'pid' },
    { type: 'mount' },
    ...shared,
    ...(cgroupVersion === 2 && !spec.security.privileged ? [{ type: 'cgroup' }] : []),
  ];
}

function resourcesOf(spec: ContainerSpec, around: OciSurroundings): Record<string, unknown> {
  const { limits, security } = spec;
  const { memoryBytes, cpuQuotaMicroseconds, pids } = limits;
  // The same figure twice: no swap, as on a node without the swap feature.
  const swap = around.swapLimit ? { swap: memoryBytes } : {};
  return {
    devices: [{ allow: security.privileged, access: 'rwm' }],
    cpu: {
      shares: limits.cpuShares,
      ...(cpuQuotaMicroseconds === undefined
        ? {}
        : { quota: cpuQuotaMicroseconds, period: 100_000 }),
    },
    ...(memoryBytes === undefined ? {} : { memory: { limit: memoryBytes, ...swap } }),
    ...(pids === undefined ? {} : { pids: { limit: pids } }),
  };
}
