/**
 * What the agent asks of a container engine. Two drivers (podman.ts, containerd.ts) pass runtime.contract.ts. Networking, volumes,
 * logs and limits are the agent's own: a driver gets finished paths and numbers. No driver keeps a process of its own resident.
 */
export interface Runtime {
  readonly name: 'podman' | 'containerd';
  /** Checks that the engine answers, and says what it is. Throws RuntimeError. */
  info(): Promise<RuntimeInfo>;
  /** Watches exits; `listener` hears of every container of this agent that stopped, within milliseconds, with what is known then. */
  watch(listener: (exit: ContainerExit) => void): Promise<() => void>;
  /** All containers of this agent in one batched call. */
  list(): Promise<ContainerState[]>;
  /** A normalised reference (`docker.io/library/nginx:latest`, or one with a digest). */
  imageConfig(reference: string): Promise<ImageConfig | undefined>;
  listImages(): Promise<{ names: string[]; sizeBytes: number }[]>;
  /** Throws RuntimeError with reason ErrImagePull and the engine's own last line. */
  pullImage(reference: string): Promise<void>;
  /** Creates without starting; answers the engine's id. Throws RuntimeError; nothing is left behind then. */
  create(spec: ContainerSpec): Promise<string>;
  /** Throws RuntimeError (reason RunContainerError) when the process cannot start; the container then shows as exited with code 127 or 128. */
  start(id: string): Promise<void>;
  /** Sends a signal to the first process; a container that does not run is no error. */
  signal(
    id: string,
    signal: 'TERM' | 'KILL' | 'HUP' | 'INT' | 'QUIT' | 'USR1' | 'USR2',
  ): Promise<void>;
  /**
   * After the container's log was renamed: what it writes from now on goes to a new file under the old name, and no line is lost. One
   * that does not run is no error. Absent: the engine cannot be told.
   */
  reopenLog?(id: string): Promise<void>;
  /**
   * Runs a command beside the container's first process, in its namespaces, with its environment and user, and waits for its end. Past
   * `timeoutMs`, or aborted, the command is killed. Throws RuntimeError (reason ExecTimeout, ExecAborted, or ExecError when it cannot
   * run at all: no such program, or the container does not run).
   */
  exec(id: string, command: readonly string[], limits?: ExecLimits): Promise<ExecResult>;
  /** Removes the container, running or not, and its files; one that does not exist is no error. */
  remove(id: string): Promise<void>;
  /** Removes everything that carries this agent's id, whatever state it is in: for `down --purge`. */
  purge(): Promise<void>;
}

export interface ExecLimits {
  /** Absent: as long as it takes. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface ExecResult {
  exitCode: number;
  /** The first of stdout, then of stderr: at most 10 KiB. */
  output: string;
}

export interface RuntimeInfo {
  name: string;
  /** `podman://4.3.1` or `containerd://1.6.20`, as node.status.nodeInfo.containerRuntimeVersion. */
  version: string;
  ociRuntime: string;
}

/** Everything resolved: no driver looks anything up. */
export interface ContainerSpec {
  /** Unique on the machine: `skerry-<agent id>-<pod uid>-<container>-<attempt>`. */
  name: string;
  labels: Record<string, string>;
  image: string;
  /** Replaces the image's ENTRYPOINT, as Kubernetes' command does. */
  command?: readonly string[];
  /** Replaces the image's CMD, as Kubernetes' args does; a command without args drops the image's CMD. */
  args?: readonly string[];
  workingDir?: string;
  /** Complete but for the image's own environment, which the driver keeps beneath it. */
  env: readonly { name: string; value: string }[];
  mounts: readonly Mount[];
  /** Files of pinned namespaces, or 'host'. */
  namespaces: { network: string; ipc: string; uts: string };
  hostname: string;
  /** cgroup of the pod: `/skerry-<agent id>/pod<uid>`; the container's own lies under it. */
  cgroupParent: string;
  limits: ContainerLimits;
  /** The file in CRI log format: `<RFC 3339 nano> stdout F text`. */
  logPath: string;
  stdin: boolean;
  tty: boolean;
  security: {
    privileged: boolean;
    readOnlyRootFilesystem: boolean;
    user?: string;
    addCapabilities: readonly string[];
    dropCapabilities: readonly string[];
    allowPrivilegeEscalation: boolean;
    supplementalGroups: readonly number[];
  };
}

export interface ContainerLimits {
  memoryBytes?: number;
  /** From requests: 2 … 262144. */
  cpuShares: number;
  /** Per 100 ms period; absent: no limit. */
  cpuQuotaMicroseconds?: number;
  oomScoreAdj: number;
  pids?: number;
}

export interface Mount {
  source: string;
  target: string;
  readOnly: boolean;
}

export interface ContainerState {
  id: string;
  name: string;
  labels: Record<string, string>;
  /** `lost`: the engine holds it, but what it ran is gone (reboot, dead monitor): remove and make it again. */
  state: 'created' | 'running' | 'exited' | 'lost';
  pid?: number;
  exitCode?: number;
  oomKilled?: boolean;
  /** RFC 3339. */
  createdAt: string;
  startedAt?: string;
  finishedAt?: string;
  image: string;
  /** `<reference>@sha256:…` or the local image id, for containerStatuses[].imageID. */
  imageId: string;
}

export interface ContainerExit {
  id: string;
  exitCode: number;
  oomKilled: boolean;
  /** Wall clock, when the exit was seen. */
  finishedAtMs: number;
}

export interface ImageConfig {
  imageId: string;
  /** chainID of the snapshot, for drivers that need it. */
  entrypoint: string[];
  cmd: string[];
  env: string[];
  user: string;
  workingDir: string;
  stopSignal: string;
}

/** `reason` is what `kubectl get pods` shows: ErrImagePull, InvalidImageName, CreateContainerError, RunContainerError. */
export class RuntimeError extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.name = 'RuntimeError';
    this.reason = reason;
  }
}
