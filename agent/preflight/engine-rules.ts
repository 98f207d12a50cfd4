import type { MachineSurvey, ToolName } from './facts.ts';
import { failure, ok, type Rule, type Verdict, warning } from './finding.ts';

/** The oldest versions that Skerry is tried with. */
const PODMAN_FROM = '4.3';
const CONTAINERD_FROM = '1.6';

const INSTALL_PODMAN = 'apt-get install podman crun';

interface ToolRule {
  tool: ToolName;
  /** What its version is one of. */
  packageName: string;
  judge: typeof failure;
  why: string;
}

/** What the agent calls besides its engine; each has a rule that is called after it. */
const TOOLS: readonly ToolRule[] = [
  {
    tool: 'nft',
    packageName: 'nftables',
    judge: warning,
    why: 'services are carried by the agent itself then: slower, and pods do not see who called',
  },
  {
    tool: 'ip',
    packageName: 'iproute2',
    judge: failure,
    why: 'it makes the links, addresses and routes of pods',
  },
  {
    tool: 'conntrack',
    packageName: 'conntrack',
    judge: warning,
    why: 'UDP clients of a service (DNS, syslog) go on sending to a pod that is gone, for up to two minutes',
  },
  {
    tool: 'unshare',
    packageName: 'util-linux',
    judge: failure,
    why: 'it makes the namespaces of pods, and kernel features are tried with it',
  },
];

/** The container engine, and the programs that the agent calls. */
export const ENGINE_RULES: readonly Rule[] = [
  { id: 'engine', roles: 'agent', judge: engine },
  { id: 'oci-runtime', roles: 'agent', judge: ociRuntime },
  ...TOOLS.map(
    ({ tool, packageName, judge, why }): Rule => ({
      id: tool,
      roles: 'agent',
      judge: ({ tools }) =>
        tools[tool] === undefined
          ? judge(`${tool} is not installed`, why, `apt-get install ${packageName}`)
          : ok(`${packageName} ${tools[tool]}`),
    }),
  ),
];

/** Whether the dotted version is at least the other; parts that are no numbers count as 0. */
function isAtLeast(version: string, least: string): boolean {
  const parts = (text: string) => text.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const [have, want] = [parts(version), parts(least)];
  for (const [index, wanted] of want.entries()) {
    const part = have[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

function engine({ podman, containerd, tools, isRoot }: MachineSurvey): Verdict {
  if (podman !== undefined) {
    if (!/^\d/.test(podman)) {
      // Users may lack what podman wants of them (a home, subordinate ids); root lacks nothing.
      if (!isRoot) return ok('podman is there; it tells its version to root');
      return failure(
        `podman ${podman}`,
        'it starts the containers of pods',
        'see what `podman info` says, as root',
      );
    }
    if (tools.conmon === undefined) {
      return failure(
        `podman ${podman}, but no conmon`,
        'podman starts every container through it',
        'apt-get install conmon',
      );
    }
    if (isAtLeast(podman, PODMAN_FROM)) return ok(`podman ${podman}`);
    return warning(
      `podman ${podman}`,
      `versions before ${PODMAN_FROM} are not tried`,
      'use Debian 12, Raspberry Pi OS bookworm, Ubuntu 23.04, or newer',
    );
  }
  if (containerd === undefined) {
    return failure(
      'neither podman nor containerd is installed',
      'one of them runs the containers of pods',
      INSTALL_PODMAN,
    );
  }
  if (!containerd.answers) {
    return failure(
      `containerd ${containerd.version} is installed and does not answer`,
      'there is no podman either, so no container can be started',
      `systemctl enable --now containerd; or ${INSTALL_PODMAN}, which is lighter`,
    );
  }
  if (isAtLeast(containerd.version, CONTAINERD_FROM)) return ok(`containerd ${containerd.version}`);
  return warning(
    `containerd ${containerd.version}`,
    `versions before ${CONTAINERD_FROM} are not tried`,
    INSTALL_PODMAN,
  );
}

function ociRuntime({ tools, cgroups, podman }: MachineSurvey): Verdict {
  const { crun, runc } = tools;
  if (crun === undefined && runc === undefined) {
    return failure(
      'neither crun nor runc is installed',
      'the engine starts containers with one of them',
      'apt-get install crun',
    );
  }
  if (cgroups.mode === 'hybrid' && runc === undefined) {
    return failure(
      `crun ${crun} alone, on a machine with both cgroup versions mounted`,
      'crun refuses that: "cgroups in hybrid mode not supported"',
      'apt-get install runc',
    );
  }
  if (podman === undefined && runc === undefined) {
    return failure(
      `crun ${crun} alone, with containerd`,
      'containerd starts containers with runc',
      'apt-get install runc',
    );
  }
  const present = [crun && `crun ${crun}`, runc && `runc ${runc}`].filter(Boolean);
  return ok(present.join(', '));
}
