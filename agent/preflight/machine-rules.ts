import { missingMemoryWords } from './boot-line.ts';
import type { MachineSurvey } from './facts.ts';
import { failure, ok, type Rule, type Verdict, warning } from './finding.ts';
import { KERNEL_PROBES, type ProbeName } from './kernel-probes.ts';

const MIB = 1024 * 1024;

const ARCHITECTURES: Readonly<Record<string, 'full' | 'limited'>> = {
  x86_64: 'full',
  aarch64: 'full',
  arm64: 'full',
  armv7l: 'limited',
};

/** Without which the agent can do what it does, in another way. */
const OPTIONAL_PROBES: readonly ProbeName[] = ['vxlan', 'nft', 'nat', 'fib'];

/** The board, its kernel and the system on it. */
export const MACHINE_RULES: readonly Rule[] = [
  {
    id: 'root',
    roles: 'all',
    judge: ({ isRoot }) =>
      isRoot
        ? ok('runs as root')
        : warning(
            'does not run as root',
            'kernel features, and which program has a port, can only be looked at by root',
            'run it again with sudo',
          ),
  },
  {
    id: 'architecture',
    roles: 'all',
    judge: ({ architecture }) => {
      const support = ARCHITECTURES[architecture];
      if (support === 'full') return ok(architecture);
      if (support === 'limited') {
        return warning(
          `${architecture} (32 bits)`,
          'Node.js 20 is the last one for it, and images for it have become rare',
          'install the 64-bit edition of the operating system if the board can run it',
        );
      }
      return failure(
        `${architecture} is not supported`,
        'there is no Node.js 20 for it',
        'use a machine with x86_64, aarch64 or armv7l',
      );
    },
  },
  {
    id: 'node',
    roles: 'all',
    judge: ({ nodeMajor }) =>
      nodeMajor >= 20
        ? ok(`Node.js ${nodeMajor}`)
        : failure(
            `Node.js ${nodeMajor}`,
            'Skerry needs Node.js 20 or newer',
            'install from the release archive, which has its own',
          ),
  },
  {
    id: 'systemd',
    roles: 'all',
    judge: ({ systemd }) =>
      systemd
        ? ok('systemd runs')
        : warning(
            'systemd does not run',
            'nothing starts Skerry at boot, or again after a crash',
            'start `skerry master` or `skerry agent` by the service manager of this machine',
          ),
  },
  {
    id: 'memory',
    roles: 'all',
    judge: ({ memoryTotalBytes }, { role }) => {
      const neededMib = role === 'both' ? 400 : 200;
      const mib = Math.round(memoryTotalBytes / MIB);
      if (mib >= neededMib) return ok(`${mib} MiB of memory`);
      return warning(
        `${mib} MiB of memory`,
        `the programs alone want about ${neededMib / 2} MiB, and pods come on top`,
        'run only the agent here, or use a board with more memory',
      );
    },
  },
  {
    id: 'host-name',
    roles: 'agent',
    judge: ({ hostName }) =>
      ['raspberrypi', 'localhost', 'debian', 'ubuntu', 'dietpi', 'armbian'].includes(hostName)
        ? warning(
            `the machine is called ${hostName}, as it comes from its image`,
            'a node is named after its machine, and no two nodes may have one name',
            'give it a name of its own: hostnamectl hostname NAME; or join with --node-name NAME',
          )
        : ok(hostName),
  },
  ...(Object.keys(KERNEL_PROBES) as ProbeName[]).map(
    (name): Rule => ({
      id: `kernel-${name}`,
      roles: 'agent',
      judge: (survey) => probeVerdict(name, survey),
    }),
  ),
  {
    id: 'cgroups',
    roles: 'agent',
    judge: ({ cgroups: { mode } }) => {
      if (mode === 'unified') return ok('cgroup v2');
      return warning(
        `cgroup v1 (${mode})`,
        'limits work, but crun does not on a machine with both versions mounted, and memory is counted less exactly',
        'boot with systemd.unified_cgroup_hierarchy=1 on the kernel command line',
      );
    },
  },
  { id: 'memory-controller', roles: 'agent', judge: memoryController },
  {
    id: 'other-controllers',
    roles: 'agent',
    judge: ({ cgroups: { controllers } }) => {
      const missing = ['cpu', 'pids'].filter((name) => !controllers.includes(name));
      if (missing.length === 0) return ok('the controllers cpu and pids are on');
      return warning(
        `off: ${missing.join(', ')}`,
        'pods cannot be limited in what they take of it, and one can starve the machine',
        'use a kernel with CONFIG_CGROUP_SCHED, CONFIG_CFS_BANDWIDTH and CONFIG_CGROUP_PIDS',
      );
    },
  },
  { id: 'forwarding', roles: 'agent', judge: forwarding },
  {
    id: 'security-modules',
    roles: 'agent',
    judge: ({ security: { appArmor, seLinux, denials } }) => {
      const present = `AppArmor ${appArmor ? 'on' : 'off'}, SELinux ${seLinux}`;
      if (denials.length === 0) return ok(`${present}, no denials in the kernel's log`);
      return warning(
        `${present}; refused lately: ${denials.join(' | ')}`,
        'what is refused to the container engine fails without a better explanation',
        'see the profile named there: aa-status, or ausearch -m avc; set it to complain, or allow what is refused',
      );
    },
  },
];

function probeVerdict(name: ProbeName, { probes }: MachineSurvey): Verdict | undefined {
  const result = probes[name];
  if (result === undefined) return undefined;
  const { title, why, remedy } = KERNEL_PROBES[name];
  if (result.works) return ok(`${title}: there`);
  const judge = OPTIONAL_PROBES.includes(name) ? warning : failure;
  return judge(`${title}: not there (${result.detail})`, why, remedy);
}

/** Raspberry Pi OS starts its kernel without it: 1.5 % of the memory are saved, and no limit holds. */
function memoryController({ cgroups }: MachineSurvey): Verdict {
  if (cgroups.controllers.includes('memory')) return ok('the memory controller is on');
  const { bootLine, kernelCommandLine } = cgroups;
  const found = 'the memory controller is off';
  const why = 'the memory limits of pods do not hold: one that leaks takes the whole machine down';
  if (bootLine === undefined) {
    return failure(
      found,
      why,
      'add cgroup_enable=memory to the kernel command line (GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub) and reboot',
    );
  }
  const missing = missingMemoryWords(bootLine.text);
  const disabled = /\bcgroup_disable=memory\b/.test(bootLine.text);
  if (missing.length === 0 && !disabled) {
    const isBooted = missingMemoryWords(kernelCommandLine).length === 0;
    return failure(
      `${found}, though ${bootLine.path} turns it on`,
      why,
      isBooted ? 'use a kernel with CONFIG_MEMCG' : 'reboot',
    );
  }
  const words = missing.length === 0 ? '' : `add ${missing.join(' ')} to the end of its one line`;
  const remove = disabled ? 'take cgroup_disable=memory out of it' : '';
  const edit = [words, remove].filter((part) => part !== '').join(', ');
  return {
    ...failure(
      found,
      why,
      `in ${bootLine.path}: ${edit}, then reboot; \`skerry check --fix\` does the edit`,
    ),
    fixable: true,
  };
}

function forwarding({ forwarding: { enabled, canEnable } }: MachineSurvey): Verdict {
  if (enabled) return ok('packets are forwarded between pods and other links');
  if (canEnable) return ok('packets are not forwarded yet; the agent turns that on');
  return failure(
    'packets are not forwarded, and /proc/sys/net/ipv4/ip_forward cannot be written',
    'nothing gets from a pod to another machine',
    'sysctl -w net.ipv4.ip_forward=1; in a container, have whoever made it set that',
  );
}
