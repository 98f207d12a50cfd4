import type { MachineSurvey } from './facts.ts';
import { failure, ok, type Rule, type Verdict, warning } from './finding.ts';

/** The oldest versions that Skerry is tried with. */
const PODMAN_FROM = '4.3';
const CONTAINERD_FROM = '1.6';

const INSTALL_PODMAN = 'apt-get install podman crun';

/** The container engine, and the programs that the agent calls. */
export const ENGINE_RULES: readonly Rule[] = [
  { id: 'engine', roles: 'agent', judge: engine },
  { id: 'oci-runtime', roles: 'agent', judge: ociRuntime },
  {
    id: 'nft',
    roles: 'agent',
    judge: ({ tools }) =>
      tools['nft'] === undefined
        ? warning(
            'nft is not installed',
            'services are carried by the agent itself then: slower, and pods do not see who called',
            'apt-get install nftables',
          )
        : ok(`nft ${tools['nft']}`),
  },
  {
    id: 'ip',
    roles: 'agent',
    judge: ({ tools }) =>
      tools['ip'] === undefined
        ? failure(
            'ip is not installed',
            'it makes the links, addresses and routes of pods',
            'apt-get install iproute2',
          )
        : ok(`iproute2 ${tools['ip']}`),
  },
  {
    id: 'conntrack',
    roles: 'agent',
    judge: ({ tools }) =>
      tools['conntrack'] === undefined
        ? warning(
            'conntrack is not installed',
            'UDP clients of a service (DNS, syslog) go on sending to a pod that is gone, for up to two minutes',
            'apt-get install conntrack',
          )
        : ok(`conntrack ${tools['conntrack']}`),
  },
  {
    id: 'unshare',
    roles: 'agent',
    judge: ({ tools }) =>
      tools['unshare'] === undefined
        ? failure(
            'unshare is not installed',
            'it makes the namespaces of pods',
            'apt-get install util-linux',
          )
        : ok(`util-linux ${tools['unshare']}`),
  },
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
      if (!isRoot) return ok(`podman ${podman}`);
      return failure(
        `podman ${podman}`,
        'it starts the containers of pods',
        'see what `podman info` says, as root',
      );
    }
    if (tools['conmon'] === undefined) {
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
