import { capabilityName, grantedCapabilities, isRootUser } from './capabilities.ts';
import { environmentOf } from './container-environment.ts';
import type { ContainerSpec, ImageConfig, Mount } from './runtime.ts';

/** What this machine needs in every call, found once by podman-engine.ts. */
export interface PodmanMachine {
  /** Path or name for --runtime; absent: podman's own choice works. */
  ociRuntime?: string;
  /** Hard limits to stay at, where the default ones cannot be had. */
  ulimits: readonly string[];
  cgroupVersion: 1 | 2;
}

/** Flags before the sub-command. Nothing is read from, or written to, a journal; cgroups are made without a service manager. */
export function globalArguments(machine: Pick<PodmanMachine, 'ociRuntime'>): string[] {
  return [
    '--cgroup-manager=cgroupfs',
    '--events-backend=none',
    ...(machine.ociRuntime === undefined ? [] : [`--runtime=${machine.ociRuntime}`]),
  ];
}

export interface CreateCall {
  args: string[];
  /** Values that travel in podman's environment, where other users cannot read them, instead of in its arguments. */
  env: Record<string, string>;
}

/**
 * `podman create` for `spec`. Everything that a containers.conf could change and Kubernetes does not know is set by a flag.
 * The image's USER decides about capabilities when the spec names no user; its environment is handed over, as podman can be kept
 * from adding the user's own settings only together with the image's.
 */
export function createCall(
  spec: ContainerSpec,
  machine: PodmanMachine,
  image: Pick<ImageConfig, 'user' | 'env'>,
): CreateCall {
  const environment = environmentArguments(spec, image.env);
  const args = [
    'create',
    '--quiet',
    '--pull=never',
    `--name=${spec.name}`,
    ...Object.entries(spec.labels).map(([key, value]) => `--label=${key}=${value}`),
    ...isolationArguments(spec, machine),
    ...limitArguments(spec, machine),
    '--log-driver=k8s-file',
    `--log-opt=path=${spec.logPath}`,
    // More than any disk holds: at a limit of containers.conf the monitor throws the log away; the agent rotates it.
    '--log-opt=max-size=1024t',
    '--restart=no',
    '--no-healthcheck',
    '--init=false',
    '--systemd=false',
    '--sdnotify=ignore',
    ...environment.args,
    ...spec.mounts.map((mount) => `--mount=${mountArgument(mount)}`),
    ...securityArguments(spec, image.user),
    ...(spec.workingDir ? [`--workdir=${spec.workingDir}`] : []),
    ...(spec.stdin ? ['--interactive'] : []),
    ...(spec.tty ? ['--tty'] : []),
    ...commandArguments(spec),
  ];
  return { args, env: environment.env };
}

function isolationArguments(spec: ContainerSpec, machine: PodmanMachine): string[] {
  const { network, ipc, uts } = spec.namespaces;
  return [
    `--network=${namespaceArgument(network)}`,
    `--ipc=${namespaceArgument(ipc)}`,
    `--uts=${namespaceArgument(uts)}`,
    '--pid=private',
    '--userns=host',
    `--cgroupns=${machine.cgroupVersion === 2 ? 'private' : 'host'}`,
    '--no-hosts',
  ];
}

function namespaceArgument(namespace: string): string {
  return namespace === 'host' ? 'host' : `ns:${namespace}`;
}

function limitArguments(spec: ContainerSpec, machine: PodmanMachine): string[] {
  const { limits } = spec;
  const args = [
    '--cgroups=enabled',
    `--cgroup-parent=${spec.cgroupParent}`,
    `--cpu-shares=${limits.cpuShares}`,
    `--oom-score-adj=${limits.oomScoreAdj}`,
    `--pids-limit=${limits.pids ?? -1}`,
    ...machine.ulimits.map((limit) => `--ulimit=${limit}`),
  ];
  if (limits.cpuQuotaMicroseconds !== undefined) {
    args.push('--cpu-period=100000', `--cpu-quota=${limits.cpuQuotaMicroseconds}`);
  }
  if (limits.memoryBytes !== undefined) {
    // The same figure twice: no swap, as on a node without the swap feature. Alone it would allow as much swap again.
    args.push(`--memory=${limits.memoryBytes}b`, `--memory-swap=${limits.memoryBytes}b`);
  }
  return args;
}

/**
 * Names that podman, its monitor, the OCI runtime or the C library read for themselves: their values go into the arguments, so that
 * a container's setting never becomes the engine's.
 */
const READ_BY_THE_ENGINE =
  /^(PATH|HOME|USER|LOGNAME|SHELL|PWD|TMPDIR|TZ|TERM|LANG|INVOCATION_ID|NOTIFY_SOCKET|LISTEN_.*|LC_.*|LD_.*|XDG_.*|DBUS_.*|GO.*|GCONV_PATH|MALLOC_.*|GLIBC_.*|CONTAINERS?_.*|_CONTAINERS_.*|PODMAN_.*|BUILDAH_.*|STORAGE_.*|REGISTRY_.*|DOCKER_.*|SSL_.*|SSH_.*|(HTTPS?|FTP|NO|ALL)_PROXY|(https?|ftp|no|all)_proxy|_.*|SYSTEMD_.*|JOURNAL_.*|WATCHDOG_.*|OCI.*|NODE_.*|CATATONIT.*|LIBPOD.*|NETAVARK.*|CRUN.*|RUNC.*)$/;

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

function environmentArguments(spec: ContainerSpec, imageEnv: readonly string[]): CreateCall {
  const args = ['--http-proxy=false', '--env-host=false', '--unsetenv-all'];
  const env: Record<string, string> = {};
  for (const [name, value] of environmentOf(spec, imageEnv)) {
    if (PLAIN_NAME.test(name) && !READ_BY_THE_ENGINE.test(name)) {
      env[name] = value;
      args.push(`--env=${name}`);
    } else {
      args.push(`--env=${name}=${value}`);
    }
  }
  return { args, env };
}

function mountArgument({ source, target, readOnly }: Mount): string {
  return [
    'type=bind',
    csvField(`source=${source}`),
    csvField(`target=${target}`),
    `ro=${readOnly}`,
    'bind-propagation=rprivate',
  ].join(',');
}

function csvField(field: string): string {
  return /[",\n\r]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

function securityArguments(spec: ContainerSpec, imageUser: string): string[] {
  const { security } = spec;
  const args = [
    ...(security.user === undefined ? [] : [`--user=${security.user}`]),
    ...security.supplementalGroups.map((group) => `--group-add=${group}`),
    ...(security.readOnlyRootFilesystem ? ['--read-only', '--read-only-tmpfs=false'] : []),
  ];
  if (security.privileged) return [...args, '--privileged'];
  if (!security.allowPrivilegeEscalation) args.push('--security-opt=no-new-privileges');
  return [...args, ...capabilityArguments(spec, isRootUser(security.user ?? imageUser))];
}

/**
 * For root the whole set is spelt out, whatever containers.conf has as its default. For another user podman would hand each added
 * capability to the process itself; under Kubernetes it only bounds what setuid programs may gain, so nothing is added there.
 */
function capabilityArguments({ security }: ContainerSpec, root: boolean): string[] {
  const { addCapabilities, dropCapabilities } = security;
  if (!root) return dropCapabilities.map((name) => `--cap-drop=${capabilityName(name)}`);
  if (addCapabilities.some((name) => capabilityName(name) === 'ALL')) {
    const drops = dropCapabilities.map((name) => `--cap-drop=${capabilityName(name)}`);
    return ['--cap-add=ALL', ...drops.filter((drop) => drop !== '--cap-drop=ALL')];
  }
  const granted = grantedCapabilities(addCapabilities, dropCapabilities);
  return ['--cap-drop=ALL', ...granted.map((name) => `--cap-add=${name}`)];
}

/** Kubernetes' command replaces ENTRYPOINT and, without args, also drops CMD; args alone replace CMD. */
function commandArguments(spec: ContainerSpec): string[] {
  const command = spec.command ?? [];
  const args = spec.args ?? [];
  if (command.length === 0) return [spec.image, ...args];
  return [`--entrypoint=${JSON.stringify(command)}`, spec.image, ...args];
}
