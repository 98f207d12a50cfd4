import { childCgroups, clearCgroupTree, detectCgroups } from '../host/cgroup.ts';
import type { PodCgroups } from '../pods/collaborators.ts';

/** What engines leave in a pod's cgroup (monitors, their clean-up) ends by itself in less. */
const PATIENCE_MS = 2_000;
const PREFIX = 'pod';

/** The cgroups `<agent's cgroup>/pod<uid>`. Engines make them on the way to their containers' own, and remove only those. */
export class AgentPodCgroups implements PodCgroups {
  readonly #parent: string;

  /** `parent` is the agent's cgroup: `/skerry-<agent id>`. */
  constructor(parent: string) {
    this.#parent = parent;
  }

  async tearDown(podUid: string): Promise<void> {
    if (podUid === '') return;
    const path = `${this.#parent}/${PREFIX}${podUid}`;
    if (await clearCgroupTree(detectCgroups(), path, PATIENCE_MS)) return;
    throw new Error(`the cgroup ${path} still holds processes`);
  }

  async list(): Promise<string[]> {
    return childCgroups(detectCgroups(), this.#parent)
      .filter((name) => name.startsWith(PREFIX))
      .map((name) => name.slice(PREFIX.length));
  }
}
