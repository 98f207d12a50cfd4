import type { Logger } from '../../shared/logger.ts';
import { type CgroupLayout, clearCgroupTree, detectCgroups, oomKillCount } from '../host/cgroup.ts';
import { CommandError, type RunCommand, runCommand } from '../host/command.ts';
import { isAlive, processIs, sendSignal } from '../host/proc.ts';
import {
  fileExists,
  makeFolder,
  modifiedAtMs,
  readSmallFile,
  watchFolder,
  writeFifo,
  writeSmallFile,
} from '../host/small-files.ts';
import { execInContainer } from './exec-in-container.ts';
import { createCall } from './podman-arguments.ts';
import { PodmanEngine } from './podman-engine.ts';
import { PodmanImages } from './podman-images.ts';
import type { PodmanPlaces } from './podman-places.ts';
import { type ContainerFiles, containerState, type PodmanPsEntry } from './podman-state.ts';
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

export interface PodmanRuntimeOptions extends RuntimeOptions {
  run?: RunCommand;
  /** The podman to call. */
  podman?: string;
  /** How many podman processes at once; the others wait. */
  maxProcesses?: number;
}

/** What a container that never got to run is shown with, as containerd's under Kubernetes. */
const START_ERROR_EXIT_CODE = 128;
/** What was known when a container ended, or failed to start. */
const EXIT_NOTE = 'skerry-exit.json';
/** That it was started: a container that podman shows as created although it has this one is lost. */
const START_NOTE = 'skerry-started';
const REMOVE_AT_ONCE = 50;
/** podman's own clean-up of a container that just ended lives in the pod's cgroup for a moment. */
const CLEAN_UP_PATIENCE_MS = 2_000;

/**
 * podman over its command line, in root's default store and with the user's containers.conf in force.
 *
 * - Nothing stays resident but podman's own monitor (conmon) of each container. Exits are read from the file that the monitor
 *   renames into place, within milliseconds; pids, signals and out-of-memory marks are file reads and system calls.
 * - `podman start` runs in the container's own folder: older monitors leave the out-of-memory mark in the folder they started in,
 *   and podman looks for it there.
 * - A lost watch, or an exit file that was gone before it was read, costs one `list()`.
 */
export class PodmanRuntime implements Runtime {
  readonly name = 'podman';
  readonly #agentId: string;
  readonly #log: Logger;
  readonly #nowMs: () => number;
  readonly #engine: PodmanEngine;
  readonly #run: RunCommand;
  readonly #runDir: string;
  readonly #images: PodmanImages;
  /** Containers of ours whose exit is not yet told. */
  readonly #running = new Set<string>();
  readonly #listeners = new Set<(exit: ContainerExit) => void>();
  readonly #starting = new Set<string>();
  #earlyExits: Map<string, ContainerExit> | undefined;
  #stopWatching: (() => void) | undefined;
  #resync: Promise<void> | undefined;
  #cgroups: CgroupLayout | undefined;

  constructor(options: PodmanRuntimeOptions) {
    this.#agentId = options.agentId;
    this.#log = options.log;
    this.#nowMs = options.nowMs;
    this.#run = options.run ?? runCommand;
    this.#runDir = options.runDir;
    this.#engine = new PodmanEngine({
      run: this.#run,
      command: options.podman ?? 'podman',
      maxProcesses: options.maxProcesses ?? 2,
    });
    this.#images = new PodmanImages(this.#engine);
  }

  async info(): Promise<RuntimeInfo> {
    const { version, ociRuntime } = await this.#engine.places();
    return { name: 'podman', version: `podman://${version}`, ociRuntime };
  }

  async watch(listener: (exit: ContainerExit) => void): Promise<() => void> {
    const places = await this.#engine.places();
    this.#listeners.add(listener);
    this.#stopWatching ??= this.#watchExits(places);
    await this.#learnWhatRuns(places);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stopWatching?.();
      this.#stopWatching = undefined;
    };
  }

  /** An exit during the first listing belongs to a container that the listing may still show as running. */
  async #learnWhatRuns(places: PodmanPlaces): Promise<void> {
    const early = new Map<string, ContainerExit>();
    this.#earlyExits = early;
    await this.list();
    this.#earlyExits = undefined;
    for (const exit of early.values()) {
      if (!this.#running.has(exit.id)) continue;
      this.#noteExit(places, exit);
      this.#tell(exit);
    }
  }

  /** One podman process, and one more when containers ended while nobody watched; all else is looked up in files. */
  async list(): Promise<ContainerState[]> {
    const places = await this.#engine.places();
    const rows = await this.#ps();
    const states: ContainerState[] = [];
    for (const row of rows) {
      const state = containerState(row, this.#filesOf(places, row.Id));
      state.imageId = await this.#images.nameOf(row.Image, row.ImageID);
      states.push(state);
      if (state.state === 'running') this.#running.add(row.Id);
    }
    await this.#askForOomKills(states.filter((state) => state.oomKilled === undefined));
    return states;
  }

  /** podman keeps this only in its database once its own clean-up has run. */
  async #askForOomKills(states: readonly ContainerState[]): Promise<void> {
    const ended = new Map(
      states.filter(({ state }) => state === 'exited').map((state) => [state.id, state]),
    );
    if (ended.size === 0) return;
    const format = '--format={{.Id}} {{.State.OOMKilled}}';
    const out = await this.#engine
      .call(['container', 'inspect', format, ...ended.keys()])
      // One that went meanwhile is an error, and the others are printed all the same.
      .catch((error: unknown) => {
        if (error instanceof CommandError) return error.stdout;
        throw error;
      });
    for (const line of out.split('\n')) {
      const [id = '', oomKilled] = line.split(' ');
      const state = ended.get(id);
      if (state !== undefined) state.oomKilled = oomKilled === 'true';
    }
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
    const labels = { ...spec.labels, [AGENT_LABEL]: this.#agentId };
    const call = createCall({ ...spec, labels }, this.#engine.machine(), image);
    try {
      return (await this.#engine.call(call.args, { env: call.env })).trim();
    } catch (error) {
      throw runtimeError('CreateContainerError', error);
    }
  }

  async start(id: string): Promise<void> {
    const places = await this.#engine.places();
    const folder = `${places.containersFolder}/${id}/userdata`;
    if (!fileExists(folder)) {
      throw new RuntimeError('RunContainerError', `container ${id} does not exist`);
    }
    this.#running.add(id);
    this.#starting.add(id);
    writeSmallFile(`${folder}/${START_NOTE}`, '');
    try {
      await this.#engine.call(['start', id], { cwd: folder });
    } catch (error) {
      this.#running.delete(id);
      if (error instanceof CommandError && error.failure === 'exit') {
        this.#noteExit(places, {
          id,
          exitCode: START_ERROR_EXIT_CODE,
          oomKilled: false,
          finishedAtMs: this.#nowMs(),
        });
      }
      throw runtimeError('RunContainerError', error);
    } finally {
      this.#starting.delete(id);
    }
  }

  async signal(id: string, signal: Parameters<Runtime['signal']>[1]): Promise<void> {
    const { runFolder } = await this.#engine.places();
    const pid = readNumber(`${runFolder}/${id}/userdata/pidfile`);
    if (pid === undefined || !processIs(pid, id)) return;
    sendSignal(pid, `SIG${signal}`);
  }

  /** The monitor's control FIFO; message 2 is "open the log anew". */
  async reopenLog(id: string): Promise<void> {
    const { containersFolder } = await this.#engine.places();
    writeFifo(`${containersFolder}/${id}/userdata/ctl`, '2 0 0\n');
  }

  /** By the OCI runtime, under its usual root: podman's own exec takes four times as long, and leaves the command when it is ended. */
  async exec(id: string, command: readonly string[], limits: ExecLimits = {}): Promise<ExecResult> {
    const { ociRuntime } = await this.#engine.places();
    return await execInContainer(
      { run: this.#run, ociRuntime, pidFolder: this.#runDir },
      id,
      command,
      limits,
    );
  }

  async remove(id: string): Promise<void> {
    this.#running.delete(id);
    await this.#removeAll([id]);
  }

  async purge(): Promise<void> {
    const ids = (await this.#ps()).map((row) => row.Id);
    for (let at = 0; at < ids.length; at += REMOVE_AT_ONCE) {
      const some = ids.slice(at, at + REMOVE_AT_ONCE);
      await this.#removeAll(some).catch(() => this.#removeOneByOne(some));
    }
    await clearCgroupTree(this.#cgroupLayout(), `/skerry-${this.#agentId}`, CLEAN_UP_PATIENCE_MS);
  }

  async #removeOneByOne(ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.#removeAll([id]);
  }

  /** `--ignore`: one that is gone is no error. `--volumes`: the anonymous ones of the image's VOLUME. */
  async #removeAll(ids: readonly string[]): Promise<void> {
    try {
      await this.#engine.call(['rm', '--force', '--ignore', '--volumes', '--time=0', ...ids]);
    } catch (error) {
      throw runtimeError('RemoveContainerError', error);
    }
  }

  async #ps(): Promise<PodmanPsEntry[]> {
    const filter = `--filter=label=${AGENT_LABEL}=${this.#agentId}`;
    try {
      const out = await this.#engine.call(['ps', '--all', filter, '--format=json']);
      return (JSON.parse(out) ?? []) as PodmanPsEntry[];
    } catch (error) {
      throw runtimeError('RuntimeNotReady', error);
    }
  }

  #watchExits(places: PodmanPlaces): () => void {
    makeFolder(places.exitsFolder);
    return watchFolder(
      places.exitsFolder,
      (name) => this.#exitFile(places, name),
      (error) => {
        this.#log.warn('the watch for container exits was lost', { error: error.message });
        this.#stopWatching = this.#watchExits(places);
        this.#resyncSoon();
      },
    );
  }

  /** podman's clean-up takes the file away some 60 ms after the monitor put it there, so it is read at once. */
  #exitFile(places: PodmanPlaces, id: string): void {
    if (!this.#running.has(id) && this.#earlyExits === undefined) return;
    const file = `${places.exitsFolder}/${id}`;
    const exitCode = readNumber(file);
    if (exitCode === undefined) {
      this.#resyncSoon();
      return;
    }
    const exit = {
      id,
      exitCode,
      oomKilled: this.#wasOomKilled(places, id),
      finishedAtMs: modifiedAtMs(file) ?? this.#nowMs(),
    };
    if (!this.#running.has(id)) {
      this.#earlyExits?.set(id, exit);
      return;
    }
    this.#noteExit(places, exit);
    this.#tell(exit);
  }

  /** In the container's own folder, so that it goes with the container. */
  #noteExit(places: PodmanPlaces, { id, ...note }: ContainerExit): void {
    const folder = `${places.containersFolder}/${id}/userdata`;
    if (fileExists(folder)) writeSmallFile(`${folder}/${EXIT_NOTE}`, JSON.stringify(note));
  }

  /** The monitor's mark may come a moment after the exit; the kernel's own count in the cgroup is there before it. */
  #wasOomKilled(places: PodmanPlaces, id: string): boolean {
    const folder = `${places.containersFolder}/${id}/userdata`;
    if (fileExists(`${folder}/oom`)) return true;
    const path = readSmallFile(`${folder}/config.json`)?.match(/"cgroupsPath":\s*"([^"]+)"/)?.[1];
    return path !== undefined && (oomKillCount(this.#cgroupLayout(), path) ?? 0) > 0;
  }

  #tell(exit: ContainerExit): void {
    if (!this.#running.delete(exit.id)) return;
    for (const listener of this.#listeners) listener(exit);
  }

  #resyncSoon(): void {
    this.#resync ??= this.#tellMissedExits()
      .catch((error: unknown) => {
        this.#log.warn('containers could not be listed', { error: String(error) });
      })
      .finally(() => {
        this.#resync = undefined;
      });
  }

  async #tellMissedExits(): Promise<void> {
    const before = new Set(this.#running);
    for (const state of await this.list()) {
      if (state.state !== 'exited' || !before.has(state.id)) continue;
      this.#tell({
        id: state.id,
        exitCode: state.exitCode ?? 0,
        oomKilled: state.oomKilled ?? false,
        finishedAtMs: state.finishedAt ? Date.parse(state.finishedAt) : this.#nowMs(),
      });
    }
  }

  #filesOf(places: PodmanPlaces, id: string): ContainerFiles {
    const kept = `${places.containersFolder}/${id}/userdata`;
    return {
      starting: () => this.#starting.has(id),
      startNote: () => fileExists(`${kept}/${START_NOTE}`),
      exitNote: () => {
        const text = readSmallFile(`${kept}/${EXIT_NOTE}`);
        return text === undefined ? undefined : (JSON.parse(text) as Omit<ContainerExit, 'id'>);
      },
      monitorAlive: () => {
        const pid = readNumber(`${places.runFolder}/${id}/userdata/conmon.pid`);
        return pid !== undefined && isAlive(pid) && processIs(pid, id);
      },
    };
  }

  #cgroupLayout(): CgroupLayout {
    this.#cgroups ??= detectCgroups();
    return this.#cgroups;
  }
}

function readNumber(file: string): number | undefined {
  const text = readSmallFile(file)?.trim();
  return text === undefined || !/^-?\d+$/.test(text) ? undefined : Number(text);
}

/** podman's last line without its own prefixes. */
function runtimeError(reason: string, error: unknown): unknown {
  if (!(error instanceof CommandError)) return error;
  const line = error.lastLine
    .replace(/^Error: /, '')
    .replace(/^unable to start container "[0-9a-f]+": /, '');
  return new RuntimeError(reason, line);
}
