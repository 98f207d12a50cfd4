import { formatIsoTime } from '../../shared/meta/time.ts';
import type { ContainerExit, ContainerState, Runtime } from '../runtime/runtime.ts';
import { type ObservedContainer, observeContainer, podUidOf } from './container-labels.ts';

/**
 * What runs, kept up to date by what the agent does and by the exits it is told of, so that no step asks the engine for a list
 * (tens of milliseconds each). `refresh` reads the truth: at the start and after anything unexpected.
 */
export class ContainerIndex {
  readonly #runtime: Runtime;
  readonly #byPod = new Map<string, Map<string, ContainerState>>();
  readonly #podOf = new Map<string, string>();
  /** Exits of containers that are not known yet, or that a list taken before them still shows as running. */
  readonly #exits = new Map<string, ContainerExit>();
  /** Ids of what changed while a list was being read: of these this index knows more than the list. */
  readonly #changed = new Set<string>();
  #refreshing: Promise<void> | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** One call at a time; callers meanwhile share it. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refresh(): Promise<void> {
    this.#exits.clear();
    this.#changed.clear();
    const listed = await this.#runtime.list();
    const known = [...this.#byPod.values()].flatMap((containers) => [...containers.values()]);
    const states = [
      ...listed.filter(({ id }) => !this.#changed.has(id)),
      ...known.filter(({ id }) => this.#changed.has(id)),
    ];
    this.#byPod.clear();
    this.#podOf.clear();
    for (const state of states) this.put(state);
  }

  podUids(): string[] {
    return [...this.#byPod.keys()];
  }

  ofPod(uid: string): ObservedContainer[] {
    return [...(this.#byPod.get(uid)?.values() ?? [])].map(observeContainer);
  }

  put(state: ContainerState): void {
    this.#noteChange(state.id);
    const uid = podUidOf(state);
    const containers = this.#byPod.get(uid) ?? new Map<string, ContainerState>();
    this.#byPod.set(uid, containers.set(state.id, state));
    this.#podOf.set(state.id, uid);
    const exit = this.#exits.get(state.id);
    if (exit !== undefined && state.state === 'running') this.#end(state, exit);
  }

  /** The container runs, unless its exit was heard of already. */
  started(id: string, startedAt: string): void {
    const state = this.#get(id);
    if (state === undefined) return;
    if (state.state === 'created') this.put({ ...state, state: 'running', startedAt });
  }

  /** Answers the pod of the container; undefined: not one that is known. */
  exited(exit: ContainerExit): string | undefined {
    const state = this.#get(exit.id);
    // A start that is not confirmed yet: `started` finds it here.
    this.#exits.set(exit.id, exit);
    if (state !== undefined && state.state === 'running') this.#end(state, exit);
    return this.#podOf.get(exit.id);
  }

  removed(id: string): void {
    this.#noteChange(id);
    const uid = this.#podOf.get(id);
    this.#exits.delete(id);
    this.#podOf.delete(id);
    if (uid === undefined) return;
    const containers = this.#byPod.get(uid);
    containers?.delete(id);
    if (containers?.size === 0) this.#byPod.delete(uid);
  }

  #noteChange(id: string): void {
    if (this.#refreshing !== undefined) this.#changed.add(id);
  }

  #get(id: string): ContainerState | undefined {
    return this.#byPod.get(this.#podOf.get(id) ?? '')?.get(id);
  }

  #end(state: ContainerState, exit: ContainerExit): void {
    this.#exits.delete(exit.id);
    this.put({
      ...state,
      state: 'exited',
      exitCode: exit.exitCode,
      oomKilled: exit.oomKilled,
      finishedAt: formatIsoTime(exit.finishedAtMs),
    });
  }
}
