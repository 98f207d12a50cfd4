import {
  type ContainerExit,
  type ContainerSpec,
  type ContainerState,
  type ExecLimits,
  type ExecResult,
  type ImageConfig,
  type Runtime,
  RuntimeError,
} from '../../runtime/runtime.ts';

/** A container engine in memory, for tests of what is above it: tests end containers, take images away and make calls fail. */
export class FakeRuntime implements Runtime {
  readonly name = 'podman' as const;
  readonly containers = new Map<string, ContainerState>();
  readonly specs = new Map<string, ContainerSpec>();
  readonly images = new Map<string, ImageConfig>();
  readonly calls: string[] = [];
  /** How containers of this name answer SIGTERM; by default they end with 0. */
  readonly ignoresTerm = new Set<string>();
  /** By container name: the next start ends in this. */
  readonly startErrors = new Map<string, string>();
  readonly pullable = new Set<string>();
  /** When set, a pull waits for it. */
  pullGate: Promise<void> | undefined;
  createError: RuntimeError | undefined;
  /** What a command in a container comes to. */
  onExec = async (
    _container: string,
    _command: readonly string[],
    _limits: ExecLimits,
  ): Promise<ExecResult> => ({ exitCode: 0, output: '' });
  #listeners = new Set<(exit: ContainerExit) => void>();
  #sequence = 0;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.addImage('docker.io/library/app:1');
  }

  addImage(reference: string, config: Partial<ImageConfig> = {}): void {
    this.images.set(reference, {
      imageId: `${reference}@sha256:0`,
      entrypoint: [],
      cmd: ['run'],
      env: [],
      user: '',
      workingDir: '',
      stopSignal: '',
      ...config,
    });
  }

  async info() {
    return { name: 'podman', version: 'podman://0', ociRuntime: 'runc' };
  }

  async watch(listener: (exit: ContainerExit) => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async list() {
    this.calls.push('list');
    return [...this.containers.values()];
  }

  async imageConfig(reference: string) {
    return this.images.get(reference);
  }

  async listImages() {
    return [];
  }

  async pullImage(reference: string) {
    this.calls.push(`pull ${reference}`);
    await this.pullGate;
    if (!this.pullable.has(reference)) throw new RuntimeError('ErrImagePull', 'no route to host');
    this.addImage(reference);
  }

  async create(spec: ContainerSpec) {
    if (this.createError !== undefined) throw this.createError;
    if ([...this.containers.values()].some(({ name }) => name === spec.name)) {
      throw new RuntimeError('CreateContainerError', `the name ${spec.name} is in use`);
    }
    const id = `id${this.#sequence++}`;
    this.calls.push(`create ${this.#short(spec)}`);
    this.specs.set(id, spec);
    this.containers.set(id, {
      id,
      name: spec.name,
      labels: spec.labels,
      state: 'created',
      createdAt: this.#now(),
      image: spec.image,
      imageId: this.images.get(spec.image)?.imageId ?? '',
    });
    return id;
  }

  async start(id: string) {
    const state = this.#need(id);
    const name = this.nameOf(id);
    this.calls.push(`start ${name}`);
    const error = this.startErrors.get(name);
    if (error !== undefined) {
      this.containers.set(id, {
        ...state,
        state: 'exited',
        exitCode: 127,
        finishedAt: this.#now(),
      });
      throw new RuntimeError('RunContainerError', error);
    }
    this.containers.set(id, { ...state, state: 'running', pid: 1, startedAt: this.#now() });
  }

  async signal(id: string, signal: string) {
    const state = this.containers.get(id);
    if (state?.state !== 'running') return;
    const name = this.nameOf(id);
    this.calls.push(`${signal} ${name}`);
    if (signal === 'KILL') this.exit(id, 137);
    else if (!this.ignoresTerm.has(name)) this.exit(id, 0);
  }

  async exec(id: string, command: readonly string[], limits: ExecLimits = {}) {
    if (this.containers.get(id)?.state !== 'running') {
      throw new RuntimeError('ExecError', `container ${id} does not run`);
    }
    this.calls.push(`exec ${this.nameOf(id)} ${command.join(' ')}`);
    return await this.onExec(this.nameOf(id), command, limits);
  }

  async remove(id: string) {
    if (!this.containers.has(id)) return;
    this.calls.push(`remove ${this.nameOf(id)}`);
    this.containers.delete(id);
  }

  async purge() {
    this.containers.clear();
  }

  /** The container's process ends; its watchers hear of it. */
  exit(id: string, exitCode: number, oomKilled = false): void {
    const state = this.#need(id);
    this.containers.set(id, {
      ...state,
      state: 'exited',
      exitCode,
      oomKilled,
      finishedAt: this.#now(),
    });
    for (const listener of this.#listeners) {
      listener({ id, exitCode, oomKilled, finishedAtMs: this.#nowMs() });
    }
  }

  /** What a power cut leaves. */
  powerCut(): void {
    for (const [id, state] of this.containers) {
      if (state.state === 'running') this.containers.set(id, { ...state, state: 'lost' });
    }
  }

  running(): string[] {
    return [...this.containers.values()]
      .filter(({ state }) => state === 'running')
      .map(({ id }) => this.nameOf(id))
      .sort();
  }

  /** The id of the newest container of this name. */
  idOf(name: string): string {
    const found = [...this.containers.keys()].filter((id) => this.nameOf(id) === name).at(-1);
    if (found === undefined) throw new Error(`no container ${name}`);
    return found;
  }

  nameOf(id: string): string {
    return this.containers.get(id)?.labels['io.kubernetes.container.name'] ?? id;
  }

  #short(spec: ContainerSpec): string {
    return spec.labels['io.kubernetes.container.name'] ?? spec.name;
  }

  #need(id: string): ContainerState {
    const state = this.containers.get(id);
    if (state === undefined) throw new RuntimeError('RunContainerError', `no container ${id}`);
    return state;
  }

  #now(): string {
    return new Date(this.#nowMs()).toISOString();
  }
}
