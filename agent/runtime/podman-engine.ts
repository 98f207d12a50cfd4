import { detectCgroups } from '../host/cgroup.ts';
import { CommandError, type CommandOptions, type RunCommand } from '../host/command.ts';
import { highestPid, mayRaiseLimits, type ProcessLimits, processLimits } from '../host/proc.ts';
import { globalArguments, type PodmanMachine } from './podman-arguments.ts';
import { type PodmanPlaces, type PodmanStore, placesOf, storeFromLog } from './podman-places.ts';
import { RuntimeError } from './runtime.ts';
import { Turnstile } from './turnstile.ts';

export interface PodmanEngineOptions {
  run: RunCommand;
  command: string;
  maxProcesses: number;
}

const CALL_TIMEOUT_MS = 120_000;
/** podman is over before collecting garbage pays: a third less CPU in each call, for 3 MB more while it lasts. */
const SHORT_LIVED = { GOGC: '400' };
/** podman's own limit for open files and processes, which it tries to raise to. */
const DEFAULT_LIMIT = 1_048_576;

/** Calls podman with what this machine needs, a few processes at a time, and knows where podman keeps its files. */
export class PodmanEngine {
  readonly #options: PodmanEngineOptions;
  readonly #turnstile: Turnstile;
  #machine: PodmanMachine | undefined;
  #places: Promise<PodmanPlaces> | undefined;

  constructor(options: PodmanEngineOptions) {
    this.#options = options;
    this.#turnstile = new Turnstile(options.maxProcesses);
  }

  /** Looked at once: cgroup mounts and process limits do not change under a running agent. */
  machine(): PodmanMachine {
    this.#machine ??= lookAtMachine();
    return this.#machine;
  }

  places(): Promise<PodmanPlaces> {
    this.#places ??= this.#findPlaces().catch((error: unknown) => {
      this.#places = undefined;
      throw error;
    });
    return this.#places;
  }

  /** Throws CommandError. */
  async call(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    return (await this.#run(args, options)).stdout;
  }

  #run(args: readonly string[], options: CommandOptions) {
    const all = [...globalArguments(this.machine()), ...args];
    const { run, command } = this.#options;
    return this.#turnstile.pass(() =>
      run(command, all, {
        timeoutMs: CALL_TIMEOUT_MS,
        ...options,
        env: { ...SHORT_LIVED, ...options.env },
      }),
    );
  }

  async #findPlaces(): Promise<PodmanPlaces> {
    try {
      const [{ stdout: version }, { stderr: log }] = await Promise.all([
        this.#run(['--version'], {}),
        this.#run(['--log-level=debug', 'ps', '--quiet', '--last=1'], {}),
      ]);
      return placesOf(storeFromLog(version, log) ?? (await this.#storeFromInfo()), log);
    } catch (error) {
      throw cannotUse(error);
    }
  }

  /** Slow, and needed only where the log is not as known: a store that was never used yet, another podman. */
  async #storeFromInfo(): Promise<PodmanStore> {
    const { stdout } = await this.#run(['info', '--format=json'], {});
    const { host, store, version } = JSON.parse(stdout) as PodmanInfo;
    return {
      version: version.Version,
      ociRuntime: host.ociRuntime.name,
      graphRoot: store.graphRoot,
      runRoot: store.runRoot,
      driver: store.graphDriverName,
    };
  }
}

/** The part of `podman info --format json` that is read here. */
interface PodmanInfo {
  host: { ociRuntime: { name: string } };
  store: { graphRoot: string; runRoot: string; graphDriverName: string };
  version: { Version: string };
}

function cannotUse(error: unknown): unknown {
  if (!(error instanceof CommandError)) return error;
  if (error.failure === 'missing') {
    return new RuntimeError(
      'RuntimeNotInstalled',
      'podman is not installed: apt-get install podman',
    );
  }
  if (/OCI runtime "runc" not found/.test(error.stderr)) {
    return new RuntimeError(
      'RuntimeNotInstalled',
      'podman needs runc on this machine, as both cgroup versions are mounted: apt-get install runc',
    );
  }
  const line = error.lastLine.replace(/^Error: /, '');
  return new RuntimeError('RuntimeNotReady', `podman does not work: ${line}`);
}

function lookAtMachine(): PodmanMachine {
  const { mode } = detectCgroups();
  return {
    // crun refuses a machine with both cgroup versions mounted; Debian's podman prefers crun.
    ...(mode === 'hybrid' ? { ociRuntime: 'runc' } : {}),
    ulimits: mayRaiseLimits() ? [] : reachableLimits(processLimits(), highestPid()),
    cgroupVersion: mode === 'unified' ? 2 : 1,
  };
}

/**
 * Without CAP_SYS_RESOURCE a container cannot start with more than podman's own hard limits, and podman lowers its own limit of
 * processes to the kernel's highest pid when it can.
 */
export function reachableLimits(hard: ProcessLimits, highestPid: number): string[] {
  const files = Math.min(hard.openFilesHard, DEFAULT_LIMIT);
  const processes = Math.min(hard.processesHard, highestPid, DEFAULT_LIMIT);
  return [`nofile=${files}:${files}`, `nproc=${processes}:${processes}`];
}
