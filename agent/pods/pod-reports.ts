import type { JsonObject } from '../../shared/meta/kube-object.ts';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import type { Outbox } from '../link/outbox.ts';
import type { AgentState } from '../state/agent-state.ts';
import type { PodMemory } from './pod-memory.ts';

/** Tells the master of pods. Invariant: a pod's record is on disk before its status is reported. */
export class PodReports {
  readonly #state: Pick<AgentState, 'savePodRecord'>;
  readonly #outbox: Outbox;

  constructor(parts: { state: Pick<AgentState, 'savePodRecord'>; outbox: Outbox }) {
    this.#state = parts.state;
    this.#outbox = parts.outbox;
  }

  /** Saves the record and then reports the status, in the background and always the newest; one at a time for each pod. */
  publish(memory: PodMemory, pod: Pod): void {
    // The one that runs looks at the record again before it ends.
    if (memory.isPublishing) return;
    memory.isPublishing = true;
    memory.publishing = this.#publishUntilSaid(memory, pod);
    // Whoever awaits it hears of a failure; a failure that nobody awaits yet must not end the process.
    memory.publishing.catch(() => undefined);
  }

  /** Resolves when the master will hear that nothing of the pod is left. */
  async publishGone(memory: PodMemory, pod: Pod): Promise<void> {
    await memory.publishing;
    memory.record = { ...memory.record, gone: true };
    this.publish(memory, pod);
    await memory.publishing;
  }

  /** What was reported of the pod and not taken yet is not to be sent any more. */
  withdraw({ record, uid }: PodMemory): void {
    this.#outbox.withdraw(reportKey(record, uid));
  }

  async #publishUntilSaid(memory: PodMemory, pod: Pod): Promise<void> {
    try {
      for (;;) {
        const text = JSON.stringify(memory.record);
        if (text === memory.saved && memory.reported !== undefined) return;
        const record = JSON.parse(text) as JsonObject;
        await this.#state.savePodRecord(memory.uid, record);
        memory.saved = text;
        this.#report(memory, pod, record);
      }
    } finally {
      memory.isPublishing = false;
    }
  }

  #report(memory: PodMemory, pod: Pod, record: JsonObject): void {
    const { uid } = memory;
    const status = record['status'] ?? {};
    const isGone = record['gone'] === true;
    const text = JSON.stringify([status, isGone]);
    if (text === memory.reported) return;
    memory.reported = text;
    this.#outbox.put({
      key: reportKey(pod.metadata, uid),
      body: isGone ? { uid, status, gone: true } : { uid, status },
    });
  }
}

function reportKey({ namespace = '', name }: { namespace?: string; name: string }, uid: string) {
  return `pods/${namespace}/${name}/${uid}`;
}
