import type { ProbeName } from './kernel-probes.ts';

/** What a machine shows of itself before anything is installed or started. Plain data: rules judge it, tests record it. */
export interface MachineSurvey {
  isRoot: boolean;
  /** `uname -m`: x86_64, aarch64, armv7l. */
  architecture: string;
  kernelRelease: string;
  /** A board's own name; '' when the firmware gives none. */
  model: string;
  hostName: string;
  /** Major version of the Node.js that runs this. */
  nodeMajor: number;
  systemd: boolean;
  memoryTotalBytes: number;
  /** Of the kernel features that were tried; absent when they could not be (not root, or no tool to try them with). */
  probes: Partial<Record<ProbeName, ProbeResult>>;
  cgroups: CgroupFacts;
  time: TimeFacts;
  podman: string | undefined;
  containerd: { version: string; answers: boolean } | undefined;
  /** Versions by name; absent: not installed. */
  tools: Readonly<Partial<Record<ToolName, string>>>;
  disk: DiskFacts;
  routes: readonly RouteFacts[];
  listeners: readonly ListenerFacts[];
  /** Chains of others that drop what they do not accept: `ip filter FORWARD`. Undefined when they cannot be listed. */
  droppingForwardChains: readonly string[] | undefined;
  forwarding: { enabled: boolean; canEnable: boolean };
  security: { appArmor: boolean; seLinux: 'off' | 'permissive' | 'enforcing'; denials: string[] };
  otherKubernetes: readonly string[];
  /** Of the server that was asked for. */
  server: ServerFacts | undefined;
}

/** Programs that the agent or its engine calls. */
export type ToolName =
  | 'podman'
  | 'containerd'
  | 'crun'
  | 'runc'
  | 'conmon'
  | 'nft'
  | 'ip'
  | 'conntrack'
  | 'unshare';

export interface ProbeResult {
  works: boolean;
  /** What the command said when it did not. */
  detail: string;
}

export interface CgroupFacts {
  mode: 'unified' | 'hybrid' | 'legacy';
  /** Those that are on. */
  controllers: readonly string[];
  /** What the kernel was started with. */
  kernelCommandLine: string;
  /** The file that the firmware of a Raspberry Pi takes it from. */
  bootLine: { path: string; text: string } | undefined;
}

export interface TimeFacts {
  nowMs: number;
  /** Undefined when nothing on the machine says. */
  synchronised: boolean | undefined;
}

export interface DiskFacts {
  /** The data directory, or the nearest folder above it that exists. */
  path: string;
  availableBytes: number;
  totalBytes: number;
  readOnly: boolean;
  /** `mmcblk0p2`; '' when the file system has no device. */
  device: string;
  isSdCard: boolean;
  /** Swap that lies on an SD card. */
  swapOnSdCard: readonly string[];
}

export interface RouteFacts {
  /** `10.42.0.0/24`; the default route is left out. */
  destination: string;
  device: string;
  /** Made by Skerry. */
  isOurs: boolean;
}

export interface ListenerFacts {
  protocol: 'tcp' | 'udp';
  /** `0.0.0.0` and `::` are every address. */
  address: string;
  port: number;
  /** The command that has it, '' when it cannot be seen. */
  process: string;
  /** It is Skerry itself. */
  isOurs: boolean;
}

export interface ServerFacts {
  url: string;
  host: string;
  /** Undefined when the name does not resolve. */
  addresses: readonly string[] | undefined;
  answer: { status: number; dateMs: number | undefined } | { failure: string } | undefined;
}

/** What the machine is to become. */
export interface PreflightAim {
  role: 'master' | 'agent' | 'both';
  listenPort: number;
  clusterCidr: string;
  serviceCidr: string;
  /** The ranges are those of its master, rather than those that masters have unless told otherwise. */
  rangesKnown: boolean;
  /** When this release was made: no clock that is right shows an earlier time. */
  releasedMs: number;
}
