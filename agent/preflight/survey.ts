import { detectCgroups } from '../host/cgroup.ts';
import { CommandError, type RunCommand, runCommand } from '../host/command.ts';
import { containerdAddress } from '../host/containerd-address.ts';
import { deviceOfSwap, diskOf, isReadOnly, isSdCard, swapAreas } from '../host/disk-facts.ts';
import { holdersOf, listeningSockets, processNames } from '../host/listening-sockets.ts';
import { socketAnswers } from '../host/local-socket.ts';
import { readMachineFacts } from '../host/machine.ts';
import { machineName } from '../host/machine-name.ts';
import { contactServer, resolveHost } from '../host/server-contact.ts';
import { fileExists, readSmallFile } from '../host/small-files.ts';
import { BOOT_LINE_FILES, isBootLine } from './boot-line.ts';
import type {
  CgroupFacts,
  DiskFacts,
  ListenerFacts,
  MachineSurvey,
  ProbeResult,
  RouteFacts,
  ServerFacts,
  ToolName,
} from './facts.ts';
import { KERNEL_PROBES, type ProbeName } from './kernel-probes.ts';

/** The time within which every one of them has answered on a slow board under load. */
const COMMAND_TIMEOUT_MS = 20_000;
const SERVER_TIMEOUT_MS = 5000;
/** What marks a route as Skerry's (network/routes); links of pods and of VXLAN are named by network/veth.ts and vxlan.ts. */
const OWN_PROTOCOL = '83';
const OWN_LINK = /^s[kv][0-9a-f]{4,}/;

export interface SurveyParts {
  dataDir: string;
  /** https://HOST:PORT of the master to reach; none if absent. */
  server: string | undefined;
  isRoot: boolean;
  nodeMajor: number;
  nowMs: () => number;
  run?: RunCommand;
}

/** Looks at the machine, and changes nothing: what is tried is tried in namespaces that end with it. */
export async function surveyMachine(parts: SurveyParts): Promise<MachineSurvey> {
  const run = parts.run ?? runCommand;
  const say = answers(run);
  const disk = diskFacts(parts.dataDir);
  const tools = await toolVersions(run);
  const [probes, machine, architecture, synchronised, chains, routes, denials, server] =
    await Promise.all([
      parts.isRoot ? kernelProbes(run, tools) : {},
      readMachineFacts(disk.path),
      say('uname', '-m'),
      clockSynchronised(say),
      say('nft', 'list', 'chains'),
      say('ip', '-4', '-j', 'route', 'show', 'table', 'main'),
      recentDenials(say),
      parts.server === undefined ? undefined : serverFacts(parts.server),
    ]);
  return {
    isRoot: parts.isRoot,
    architecture: architecture?.trim() ?? '',
    kernelRelease: machine.kernelVersion,
    model: textOf('/sys/firmware/devicetree/base/model'),
    hostName: machineName(),
    nodeMajor: parts.nodeMajor,
    systemd: fileExists('/run/systemd/system'),
    memoryTotalBytes: machine.memoryBytes,
    probes,
    cgroups: cgroupFacts(),
    time: { nowMs: parts.nowMs(), synchronised },
    podman: tools.podman,
    containerd: await containerdFacts(tools.containerd),
    tools,
    disk,
    routes: parseRouteList(routes ?? '[]'),
    listeners: listenerFacts(),
    droppingForwardChains: chains === undefined ? undefined : parseDroppingChains(chains),
    forwarding: forwardingFacts(),
    security: { ...securityModules(), denials },
    otherKubernetes: otherKubernetes(),
    server,
  };
}

/** The standard output of a command; undefined when it is missing or fails. */
type Say = (file: string, ...args: string[]) => Promise<string | undefined>;

function answers(run: RunCommand): Say {
  return async (file, ...args) => {
    try {
      return (await run(file, args, { timeoutMs: COMMAND_TIMEOUT_MS })).stdout;
    } catch (error) {
      if (error instanceof CommandError) return undefined;
      throw error;
    }
  };
}

async function kernelProbes(
  run: RunCommand,
  tools: MachineSurvey['tools'],
): Promise<MachineSurvey['probes']> {
  const names = (Object.keys(KERNEL_PROBES) as ProbeName[]).filter((name) =>
    KERNEL_PROBES[name].tools.every((tool) => tools[tool] !== undefined),
  );
  const results = await Promise.all(names.map((name) => kernelProbe(run, name)));
  return Object.fromEntries(names.map((name, index) => [name, results[index]]));
}

async function kernelProbe(run: RunCommand, name: ProbeName): Promise<ProbeResult> {
  try {
    await run('unshare', ['--net', '--mount', 'sh', '-c', KERNEL_PROBES[name].script], {
      timeoutMs: COMMAND_TIMEOUT_MS,
    });
    return { works: true, detail: '' };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { works: false, detail: /Error: .*/.exec(error.stderr)?.[0] ?? error.lastLine };
  }
}

/** Each with how it tells its version. */
const TOOLS = {
  podman: ['--version'],
  containerd: ['--version'],
  crun: ['--version'],
  runc: ['--version'],
  conmon: ['--version'],
  nft: ['--version'],
  ip: ['-V'],
  conntrack: ['--version'],
  unshare: ['--version'],
} as const satisfies Record<ToolName, readonly string[]>;

async function toolVersions(run: RunCommand): Promise<MachineSurvey['tools']> {
  const found = await Promise.all(
    Object.entries(TOOLS).map(async ([name, args]) => [name, await versionOf(run, name, args)]),
  );
  return Object.fromEntries(found.filter(([, version]) => version !== undefined));
}

/** Undefined: not installed. A tool that does not start says why, in place of its version. */
async function versionOf(
  run: RunCommand,
  name: string,
  args: readonly string[],
): Promise<string | undefined> {
  try {
    return versionIn((await run(name, args, { timeoutMs: COMMAND_TIMEOUT_MS })).stdout);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return error.failure === 'missing' ? undefined : `of no known version (${error.lastLine})`;
  }
}

/** `4.3.1` of `podman version 4.3.1`; what has no number with a dot is the whole first line. */
export function versionIn(text: string): string {
  const line = text.split('\n')[0]?.trim() ?? '';
  return /\d+(?:\.\d+)+/.exec(line)?.[0] ?? line;
}

async function containerdFacts(version: string | undefined) {
  if (version === undefined) return undefined;
  return { version, answers: await socketAnswers(containerdAddress()) };
}

function cgroupFacts(): CgroupFacts {
  const { mode, controllers, unifiedRoot } = detectCgroups();
  const unified = unifiedRoot === undefined ? '' : textOf(`${unifiedRoot}/cgroup.controllers`);
  return {
    mode,
    controllers: [
      ...new Set([...controllers.keys(), ...unified.split(/\s+/).filter((name) => name !== '')]),
    ],
    kernelCommandLine: textOf('/proc/cmdline'),
    bootLine: readBootLine(BOOT_LINE_FILES),
  };
}

/** The first of the files that the firmware reads. */
export function readBootLine(files: readonly string[]): CgroupFacts['bootLine'] {
  return files
    .map((path) => ({ path, text: readSmallFile(path) }))
    .filter((file): file is { path: string; text: string } => file.text !== undefined)
    .find(({ text }) => isBootLine(text));
}

/** What systemd knows of the kernel's own flag (adjtimex(2)), set by whichever daemon keeps the time. */
async function clockSynchronised(say: Say): Promise<boolean | undefined> {
  if (fileExists('/run/systemd/timesync/synchronized')) return true;
  const answer = (
    await say('timedatectl', 'show', '--property=NTPSynchronized', '--value')
  )?.trim();
  return answer === undefined || answer === '' ? undefined : answer === 'yes';
}

function diskFacts(dataDir: string): DiskFacts {
  const disk = diskOf(dataDir);
  return {
    ...disk,
    isSdCard: isSdCard(disk.device),
    swapOnSdCard: swapAreas().filter((area) => isSdCard(deviceOfSwap(area))),
  };
}

/** `text` is that of `ip -j route`. */
export function parseRouteList(text: string): RouteFacts[] {
  const routes = JSON.parse(text) as { dst: string; dev?: string; protocol?: string }[];
  return routes
    .filter(({ dst }) => dst !== 'default')
    .map(({ dst, dev = '', protocol }) => ({
      destination: dst.includes('/') ? dst : `${dst}/32`,
      device: dev,
      isOurs: protocol === OWN_PROTOCOL || OWN_LINK.test(dev),
    }));
}

function listenerFacts(): ListenerFacts[] {
  const sockets = listeningSockets();
  const holders = holdersOf(new Set(sockets.map(({ inode }) => inode)));
  return sockets.map(({ protocol, address, port, inode }) => {
    const command = holders.get(inode) ?? '';
    return {
      protocol,
      address,
      port,
      process: command.split(' ')[0]?.split('/').at(-1) ?? '',
      isOurs: /skerry/.test(command),
    };
  });
}

/** `text` is that of `nft list chains`: chains on the way of forwarded packets whose policy is to drop. */
export function parseDroppingChains(text: string): string[] {
  const found: string[] = [];
  let table = '';
  let chain = '';
  for (const line of text.split('\n')) {
    table = /^table (.*) \{/.exec(line)?.[1] ?? table;
    chain = /^\s+chain (\S+) \{/.exec(line)?.[1] ?? chain;
    if (/hook forward .*policy drop;/.test(line)) found.push(`${table} ${chain}`);
  }
  return found;
}

function forwardingFacts() {
  const path = '/proc/sys/net/ipv4/ip_forward';
  return { enabled: textOf(path).trim() === '1', canEnable: !isReadOnly(path) };
}

function securityModules() {
  const enforcing = readSmallFile('/sys/fs/selinux/enforce')?.trim();
  return {
    appArmor: textOf('/sys/module/apparmor/parameters/enabled').startsWith('Y'),
    seLinux:
      enforcing === undefined
        ? ('off' as const)
        : enforcing === '1'
          ? ('enforcing' as const)
          : ('permissive' as const),
  };
}

/** What the kernel has lately refused to programs that Skerry starts; each line once. */
async function recentDenials(say: Say): Promise<string[]> {
  const lines = ((await say('dmesg')) ?? '').split('\n').filter(isDenial);
  return [...new Set(lines.map((line) => line.replace(/^\[[^\]]*\]\s*/, '')))].slice(-3);
}

/** A line of the kernel's log in which AppArmor or SELinux refuses something to an engine. */
export function isDenial(line: string): boolean {
  const refused = /apparmor="DENIED"|avc:\s+denied/.test(line);
  return refused && /comm="?(?:podman|crun|runc|conmon|containerd|ctr|skerry|nft|ip)\b/.test(line);
}

/** Programs and folders that other distributions of Kubernetes leave on a machine. */
const OTHERS = {
  k3s: { processes: ['k3s-server', 'k3s-agent', 'k3s'], folder: '/etc/rancher/k3s' },
  kubelet: { processes: ['kubelet'], folder: '/etc/kubernetes/manifests' },
  k0s: { processes: ['k0s'], folder: '/var/lib/k0s' },
  microk8s: { processes: ['kubelite'], folder: '/var/snap/microk8s' },
} as const;

function otherKubernetes(): string[] {
  const running = processNames();
  const found = Object.entries(OTHERS).flatMap(([name, { processes, folder }]) => {
    if (processes.some((process) => running.has(process))) return [`${name} (running)`];
    return fileExists(folder) ? [`${name} (${folder} is there)`] : [];
  });
  return found;
}

async function serverFacts(url: string): Promise<ServerFacts> {
  const host = new URL(url).hostname;
  const addresses = await resolveHost(host);
  return {
    url,
    host,
    addresses,
    answer:
      addresses === undefined
        ? undefined
        : await contactServer(new URL('/version', url).href, SERVER_TIMEOUT_MS),
  };
}

function textOf(path: string): string {
  return (readSmallFile(path) ?? '').replaceAll('\0', '');
}
