import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { formatIsoTime } from '../../shared/meta/time.ts';
import {
  type CgroupLayout,
  clearCgroupTree,
  detectCgroups,
  hasSwapLimit,
  oomKillCount,
} from '../host/cgroup.ts';
import { CommandError, type RunCommand, runCommand } from '../host/command.ts';
import { containerdAddress } from '../host/containerd-address.ts';
import { hostDevices } from '../host/devices.ts';
import { GrowingFile } from '../host/growing-file.ts';
import {
  bootId,
  effectiveCapabilities,
  isAlive,
  processIs,
  processorArchitecture,
  sendSignal,
} from '../host/proc.ts';
import {
  makeFolder,
  readInside,
  readSmallFile,
  removeFile,
  removeFolder,
  watchFile,
  writeSmallFile,
} from '../host/small-files.ts';
import { capabilitiesOfMask } from './capabilities.ts';
import { containerUser } from './container-user.ts';
import { ContainerdImages, type UnpackedImage } from './containerd-images.ts';
import { type ContainerRecord, ContainerRecords } from './containerd-records.ts';
import { criLines, criTime } from './cri-log.ts';
import { Ctr, ctrError, isNotFound } from './ctr.ts';
import { execInContainer } from './exec-in-container.ts';
import { ociSpec } from './oci-spec.ts';
import {
  type ContainerExit,
  type ContainerSpec,
  type ContainerState,
  type ExecLimits,
  type ExecResult,
  type ImageConfig,
  type Runtime,
  RuntimeError,
  type RuntimeInfo,
} from './runtime.ts';
import { AGENT_LABEL, type RuntimeOptions } from './runtime-options.ts';

export interface ContainerdRuntimeOptions extends RuntimeOptions {
  /** containerd's socket; $CONTAINERD_ADDRESS, else the usual one, if absent. */
  containerdAddress?: string;
  /** containerd's namespace; `skerry` if absent. */
  containerdNamespace?: string;
  run?: RunCommand;
  /** The ctr to call. */
  ctr?: string;
  /** How many ctr processes at once; the others wait. */
  maxProcesses?: number;
}

const START_ERROR_EXIT_CODE = 128;
const KILLED_EXIT_CODE = 137;
const CLEAN_UP_PATIENCE_MS = 2_000;
/** Only where the kernel cannot say that a cgroup became empty (cgroup v1 alone). */
const PID_CHECK_MS = 1_000;
const TASK_END_STEP_MS = 10;
const TASK_END_ATTEMPTS = 200;

/**
 * containerd over `ctr`, in basic form: no terminal, no stdin.
 *
 * - Each container is a full OCI specification of ours over a snapshot that we mount; the containers of a pod share one shim.
 * - Exits: the kernel says in `cgroup.events` (v2, or the v2 tree beside v1) that the container's cgroup became empty, and inotify
 *   hands that on; `ctr tasks rm` then answers the exit code, so a listener hears some 30 ms after the end. No ctr stays resident:
 *   `ctr events` would cost 20 MB.
 * - Logs: the shim's `file://` takes raw output, which goes on being taken while the agent is down (a FIFO would block the container
 *   after 64 KB, or lose its last words; `binary://` is one more process for each container). The agent turns it into CRI lines as it
 *   comes, driven by inotify, and gives the raw bytes back to the file system. The price: both streams count as stdout, as ctr names
 *   only one destination for the two, and times are those of reading.
 * - Labels, times and exits are in a record of ours for each container, written before it is made; `list()` is one `ctr tasks ls`.
 */
export class ContainerdRuntime implements Runtime {
  readonly name = 'containerd';
  readonly #options: ContainerdRuntimeOptions;
  readonly #ctr: Ctr;
  readonly #images: ContainerdImages;
  readonly #records: ContainerRecords;
  readonly #listeners = new Set<(exit: ContainerExit) => void>();
  /** What is followed of each running container. */
  readonly #followed = new Map<string, Followed>();
  /** Being created by this process: not yet to be listed. */
  readonly #inCreation = new Set<string>();
  readonly #collecting = new Map<string, Promise<void>>();
  #cgroups: CgroupLayout | undefined;

  constructor(options: ContainerdRuntimeOptions) {
    this.#options = options;
    this.#ctr = new Ctr({
      run: options.run ?? runCommand,
      command: options.ctr ?? 'ctr',
      address: options.containerdAddress ?? containerdAddress(),
      namespace: options.containerdNamespace ?? 'skerry',
      maxProcesses: options.maxProcesses ?? 2,
    });
    this.#images = new ContainerdImages(this.#ctr, processorArchitecture());
    this.#records = new ContainerRecords(`${options.stateDir}/containerd`);
  }

  async info(): Promise<RuntimeInfo> {
    try {
      const out = await this.#ctr.call(['version']);
      const version = out.match(/Server:\s+Version:\s+v?(\d[^\s~+]*)/)?.[1] ?? 'unknown';
      return { name: 'containerd', version: `containerd://${version}`, ociRuntime: 'runc' };
    } catch (error) {
      throw cannotUse(error);
    }
  }

  async watch(listener: (exit: ContainerExit) => void): Promise<() => void> {
    this.#listeners.add(listener);
    for (const { id, state } of await this.list()) if (state === 'running') this.#follow(id);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.stop();
    };
  }

  /** Stops following logs and exits; containers run on, and the next watch() takes up where this left. */
  stop(): void {
    for (const id of [...this.#followed.keys()]) this.#unfollow(this.#records.get(id), false);
  }

  async list(): Promise<ContainerState[]> {
    const tasks = taskRows(await this.#tasks());
    const states: ContainerState[] = [];
    for (const { id } of this.#records.all()) {
      if (this.#inCreation.has(id)) continue;
      if (tasks.get(id)?.status === 'STOPPED') await this.#collect(id);
      const record = this.#records.get(id);
      if (record !== undefined) states.push(stateOf(record, tasks.get(id)));
    }
    return states;
  }

  imageConfig(reference: string): Promise<ImageConfig | undefined> {
    return this.#images.config(reference);
  }

  listImages(): Promise<{ names: string[]; sizeBytes: number }[]> {
    return this.#images.list();
  }

  pullImage(reference: string): Promise<void> {
    return this.#images.pull(reference);
  }

  async create(spec: ContainerSpec): Promise<string> {
    const image = await this.#images.config(spec.image);
    if (image === undefined) {
      throw new RuntimeError(
        'ErrImageNeverPull',
        `Container image "${spec.image}" is not present with pull policy of Never`,
      );
    }
    const id = randomBytes(32).toString('hex');
    this.#inCreation.add(id);
    try {
      await this.#create(id, spec, image);
      return id;
    } catch (error) {
      await this.remove(id);
      if (error instanceof RuntimeError) throw error;
      throw error instanceof CommandError
        ? ctrError('CreateContainerError', error)
        : new RuntimeError('CreateContainerError', String((error as Error).message));
    } finally {
      this.#inCreation.delete(id);
    }
  }

  async #create(id: string, spec: ContainerSpec, image: UnpackedImage): Promise<void> {
    const record: ContainerRecord = {
      id,
      name: spec.name,
      labels: { ...spec.labels, [AGENT_LABEL]: this.#options.agentId },
      image: spec.image,
      imageId: image.imageId,
      logPath: spec.logPath,
      cgroupsPath: `${spec.cgroupParent}/${id}`,
      createdAt: this.#now(),
      bootId: bootId(),
      phase: 'creating',
    };
    this.#records.put(record);
    const rootPath = await this.#mountRoot(id, image.chainId);
    const specFile = this.#runFile(id, 'spec.json');
    makeFolder(`${this.#options.runDir}/containers`);
    writeSmallFile(specFile, JSON.stringify(this.#ociSpec(record, spec, image, rootPath)));
    const labels = Object.entries(record.labels).flatMap(([key, value]) => [
      '--label',
      `${key}=${value}`,
    ]);
    await this.#ctr.call(['containers', 'create', '--config', specFile, ...labels, id]);
    removeFile(specFile);
    this.#records.put({ ...record, phase: 'created' });
  }

  #ociSpec(
    record: ContainerRecord,
    spec: ContainerSpec,
    image: UnpackedImage,
    rootPath: string,
  ): Record<string, unknown> {
    const layout = this.#cgroupLayout();
    const pod = spec.labels['io.kubernetes.pod.uid'];
    return ociSpec(spec, {
      rootPath,
      image,
      user: containerUser(
        spec.security.user ?? image.user,
        readInside(rootPath, '/etc/passwd'),
        readInside(rootPath, '/etc/group'),
        spec.security.supplementalGroups,
      ),
      cgroupsPath: record.cgroupsPath,
      cgroupVersion: layout.mode === 'unified' ? 2 : 1,
      swapLimit: hasSwapLimit(layout),
      availableCapabilities: capabilitiesOfMask(effectiveCapabilities()),
      hostDevices: spec.security.privileged ? hostDevices() : [],
      annotations: pod ? { [SHIM_GROUP]: `${this.#options.agentId}-${pod}` } : {},
    });
  }

  /** A writable snapshot over the image's layers, mounted where the specification points. */
  async #mountRoot(id: string, chainId: string): Promise<string> {
    const rootPath = this.#rootPath(id);
    makeFolder(rootPath);
    await this.#ctr.call(['snapshots', 'prepare', id, chainId]);
    const line = await this.#ctr.call(['snapshots', 'mounts', rootPath, id]);
    const [command = 'mount', ...args] = line.trim().split(/\s+/);
    await (this.#options.run ?? runCommand)(command, args);
    return rootPath;
  }

  async start(id: string): Promise<void> {
    const record = this.#records.get(id);
    if (record === undefined) {
      throw new RuntimeError('RunContainerError', `container ${id} does not exist`);
    }
    const pidFile = this.#runFile(id, 'pid');
    const raw = rawLog(record.logPath);
    writeSmallFile(raw, '');
    const args = [
      'tasks',
      'start',
      '--detach',
      '--pid-file',
      pidFile,
      '--log-uri',
      `file://${raw}`,
    ];
    this.#records.put({ ...record, phase: 'started', startedAt: this.#now() });
    try {
      await this.#ctr.call([...args, id]);
    } catch (error) {
      await this.#startFailed(record);
      throw ctrError('RunContainerError', error);
    }
    const started = this.#records.get(id);
    const pid = Number(readSmallFile(pidFile));
    removeFile(pidFile);
    if (started === undefined) return;
    this.#records.put({ ...started, pid });
    this.#follow(id);
  }

  async #startFailed(record: ContainerRecord): Promise<void> {
    await this.#ctr.callIfThere(['tasks', 'rm', '--force', record.id]).catch(() => '');
    removeFile(rawLog(record.logPath));
    this.#records.put({
      ...record,
      phase: 'exited',
      exitCode: START_ERROR_EXIT_CODE,
      oomKilled: false,
      finishedAt: this.#now(),
    });
  }

  async signal(id: string, signal: Parameters<Runtime['signal']>[1]): Promise<void> {
    const record = this.#records.get(id);
    if (record?.phase !== 'started' || record.pid === undefined) return;
    if (processIs(record.pid, id)) sendSignal(record.pid, `SIG${signal}`);
  }

  /** Each piece is appended to whatever has the name then, so there is nothing to tell anybody. */
  async reopenLog(): Promise<void> {}

  async exec(id: string, command: readonly string[], limits: ExecLimits = {}): Promise<ExecResult> {
    const { run = runCommand, runDir, containerdNamespace = 'skerry' } = this.#options;
    const root = `/run/containerd/runc/${containerdNamespace}`;
    return await execInContainer(
      { run, ociRuntime: 'runc', root, pidFolder: runDir },
      id,
      command,
      limits,
    );
  }

  async remove(id: string): Promise<void> {
    const record = this.#records.get(id);
    this.#unfollow(record, false);
    try {
      await this.#ctr.callIfThere(['tasks', 'rm', '--force', id]);
      await this.#ctr.callIfThere(['containers', 'rm', id]);
      await (this.#options.run ?? runCommand)('umount', [this.#rootPath(id)], {
        allowFailure: true,
      });
      removeFolder(this.#rootPath(id));
      await this.#ctr.callIfThere(['snapshots', 'rm', id]);
    } catch (error) {
      throw ctrError('RemoveContainerError', error);
    }
    removeFile(this.#runFile(id, 'spec.json'));
    removeFile(this.#runFile(id, 'offset'));
    if (record !== undefined) removeFile(rawLog(record.logPath));
    this.#records.remove(id);
  }

  async purge(): Promise<void> {
    const filter = `labels."${AGENT_LABEL}"==${this.#options.agentId}`;
    const labelled = await this.#ctr.call(['containers', 'ls', '--quiet', filter]);
    const ids = new Set(labelled.split('\n').filter((id) => id !== ''));
    for (const { id } of this.#records.all()) ids.add(id);
    for (const id of ids) await this.remove(id);
    const path = `/skerry-${this.#options.agentId}`;
    await clearCgroupTree(this.#cgroupLayout(), path, CLEAN_UP_PATIENCE_MS);
  }

  /** Log and end of a running container. */
  #follow(id: string): void {
    const record = this.#records.get(id);
    if (record === undefined || this.#followed.has(id)) return;
    const log = this.#logOf(record);
    log.start();
    this.#followed.set(id, { log, stopWatching: this.#watchEnd(record) });
    this.#checkEnd(id);
  }

  #logOf({ id, logPath }: ContainerRecord): GrowingFile {
    return new GrowingFile({
      source: rawLog(logPath),
      target: logPath,
      offsetFile: this.#runFile(id, 'offset'),
      convert: (raw, last) => criLines(raw, criTime(this.#options.nowMs()), 'stdout', last),
      failed: (error) => {
        this.#options.log.warn('a container log is not written', { id, error: String(error) });
      },
    });
  }

  #watchEnd({ id }: ContainerRecord): () => void {
    const check = (): void => this.#checkEnd(id);
    const stop = watchFile(this.#eventsFile(id) ?? '', check);
    if (stop !== undefined) return stop;
    const timer = setInterval(check, PID_CHECK_MS).unref();
    return () => clearInterval(timer);
  }

  /** Empty comes a moment before the first process is reaped, so either is enough. */
  #checkEnd(id: string): void {
    const pid = this.#records.get(id)?.pid;
    const empty = readSmallFile(this.#eventsFile(id) ?? '')?.includes('populated 0') === true;
    if (!empty && pid !== undefined && isAlive(pid) && processIs(pid, id)) return;
    this.#collect(id).catch((error: unknown) => {
      this.#options.log.warn('an exit code could not be asked for', { id, error: String(error) });
    });
  }

  #eventsFile(id: string): string | undefined {
    const path = this.#records.get(id)?.cgroupsPath;
    const { unifiedRoot } = this.#cgroupLayout();
    if (unifiedRoot === undefined || path === undefined) return undefined;
    return `${unifiedRoot}${path}/cgroup.events`;
  }

  #collect(id: string): Promise<void> {
    const running = this.#collecting.get(id);
    if (running !== undefined) return running;
    const collecting = this.#collectExit(id).finally(() => this.#collecting.delete(id));
    this.#collecting.set(id, collecting);
    return collecting;
  }

  /**
   * Takes the exit code by removing the task, which also waits until the shim has written all output. The count of out-of-memory
   * kills goes with the cgroup, so it is read first.
   */
  async #collectExit(id: string): Promise<void> {
    const record = this.#records.get(id);
    if (record?.phase !== 'started') return;
    const finishedAtMs = this.#options.nowMs();
    const oomKilled = (oomKillCount(this.#cgroupLayout(), record.cgroupsPath) ?? 0) > 0;
    const code = await this.#removeTask(id);
    if (this.#records.get(id) === undefined) return;
    this.#unfollow(record, true);
    // Without a task there is no code: the shim was killed, and the processes with it. The container is listed as lost.
    const exitCode = code ?? KILLED_EXIT_CODE;
    if (code !== undefined) {
      const finishedAt = formatIsoTime(finishedAtMs);
      this.#records.put({ ...record, phase: 'exited', exitCode, oomKilled, finishedAt });
    }
    for (const listener of this.#listeners) listener({ id, exitCode, oomKilled, finishedAtMs });
  }

  /** The exit code; undefined when there is no such task. The shim may need a moment more than the kernel to know of the end. */
  async #removeTask(id: string): Promise<number | undefined> {
    for (let attempt = 0; ; attempt += 1) {
      const result = await this.#ctr.full(['tasks', 'rm', id], { allowFailure: true });
      const code = result.stderr.match(/exit with non-zero exit code (\d+)/)?.[1];
      if (code !== undefined) return Number(code);
      if (result.exitCode === 0) return 0;
      if (isNotFound(result.stderr)) return undefined;
      if (attempt === TASK_END_ATTEMPTS) throw new Error(result.stderr.trim());
      await setTimeout(TASK_END_STEP_MS);
    }
  }

  #unfollow(record: ContainerRecord | undefined, ended: boolean): void {
    if (record === undefined) return;
    const followed = this.#followed.get(record.id);
    this.#followed.delete(record.id);
    followed?.stopWatching();
    if (!ended) followed?.log.stop();
    else (followed?.log ?? this.#logOf(record)).finish();
  }

  async #tasks(): Promise<string> {
    try {
      return await this.#ctr.call(['tasks', 'ls']);
    } catch (error) {
      throw cannotUse(error);
    }
  }

  #rootPath(id: string): string {
    return `${this.#options.runDir}/rootfs/${id}`;
  }

  #runFile(id: string, what: string): string {
    return `${this.#options.runDir}/containers/${id}.${what}`;
  }

  #now(): string {
    return formatIsoTime(this.#options.nowMs());
  }

  #cgroupLayout(): CgroupLayout {
    this.#cgroups ??= detectCgroups();
    return this.#cgroups;
  }
}

/** The runc shim takes this as: one process for all containers with the same value. */
const SHIM_GROUP = 'io.containerd.runc.v2.group';

interface Followed {
  log: GrowingFile;
  stopWatching: () => void;
}

/** Beside the log: what the shim writes and the agent has not yet turned into lines. */
function rawLog(logPath: string): string {
  return `${logPath}.raw`;
}

interface TaskRow {
  pid: number;
  status: string;
}

/** The table of `ctr tasks ls`: TASK PID STATUS. */
function taskRows(table: string): Map<string, TaskRow> {
  const rows = new Map<string, TaskRow>();
  for (const line of table.split('\n').slice(1)) {
    const [id, pid, status] = line.split(/\s+/);
    if (id && status) rows.set(id, { pid: Number(pid), status });
  }
  return rows;
}

function stateOf(record: ContainerRecord, task: TaskRow | undefined): ContainerState {
  const { id, name, labels, image, imageId, createdAt } = record;
  const base = {
    id,
    name,
    labels,
    image,
    imageId,
    createdAt,
    ...(record.startedAt === undefined ? {} : { startedAt: record.startedAt }),
  };
  switch (record.phase) {
    case 'created':
      return { ...base, state: record.bootId === bootId() ? 'created' : 'lost' };
    case 'exited':
      return {
        ...base,
        state: 'exited',
        exitCode: record.exitCode ?? 0,
        oomKilled: record.oomKilled ?? false,
        ...(record.finishedAt === undefined ? {} : { finishedAt: record.finishedAt }),
      };
    case 'started':
      return task === undefined
        ? { ...base, state: 'lost' }
        : { ...base, state: 'running', pid: task.pid };
    case 'creating':
      return { ...base, state: 'lost' };
  }
}

function cannotUse(error: unknown): unknown {
  if (!(error instanceof CommandError)) return error;
  if (error.failure === 'missing') {
    return new RuntimeError(
      'RuntimeNotInstalled',
      'containerd is not installed: apt-get install containerd',
    );
  }
  if (/failed to dial|no such file|connection refused|deadline exceeded/i.test(error.stderr)) {
    return new RuntimeError(
      'RuntimeNotReady',
      'containerd does not answer: systemctl enable --now containerd',
    );
  }
  return new RuntimeError('RuntimeNotReady', `containerd does not work: ${error.lastLine}`);
}
