import { ApiError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { findCondition, setCondition } from '../../shared/meta/condition.ts';
import { objectKey } from '../../shared/meta/kube-object.ts';
import { formatTime } from '../../shared/meta/time.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { parseQueueKey, queueKey } from '../../shared/reconcile/queue-key.ts';
import { ReconcileLoop } from '../../shared/reconcile/reconcile-loop.ts';
import type { Underway } from '../../shared/reconcile/underway.ts';
import { PODS } from '../../shared/resources/pod.ts';
import { isTerminal } from '../../shared/resources/pod-conditions.ts';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import type { EventRecorder } from '../store/event-recorder.ts';
import type { Registry } from '../store/registry.ts';
import { ClusterView } from './cluster-view.ts';
import { podAmounts, podHostPorts } from './node-view.ts';
import { place } from './place.ts';

/** The name by which pods ask for this scheduler, and which its events carry. */
const NAME = 'default-scheduler';

/**
 * Gives each pod a node: one decision at a time, each seeing the last, since a binding is in the cache before it is acknowledged. A pod
 * that fits nowhere waits until something gives room.
 */
export class Scheduler {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #events: EventRecorder;
  readonly #cluster: ClusterView;
  readonly #loop: ReconcileLoop;
  readonly #waiting = new Set<string>();
  #unwatch: (() => void) | undefined;

  constructor(parts: { registry: Registry; clock: Clock; events: EventRecorder; log: Logger }) {
    this.#registry = parts.registry;
    this.#clock = parts.clock;
    this.#events = parts.events;
    this.#cluster = new ClusterView(parts.registry, () => this.#retryWaiting());
    this.#loop = new ReconcileLoop({
      name: 'scheduler',
      clock: parts.clock,
      concurrency: 1,
      backoffMs: { first: 50, max: 10_000 },
      reconcile: (key) => this.#schedule(key),
      onError: (key, error, attempt) =>
        parts.log.warn('scheduling failed, trying again', { pod: key, attempt, error }),
    });
  }

  start(): void {
    this.#cluster.start();
    const { revision, objects } = this.#registry.cache.snapshot(PODS);
    for (const pod of objects) this.#consider(pod, false);
    this.#unwatch = this.#registry.cache.watch(PODS, revision, (events) => {
      for (const { type, object } of events) this.#consider(object, type === 'DELETED');
    });
    this.#loop.start();
  }

  get underway(): Underway | undefined {
    return this.#loop.underway;
  }

  async stop(): Promise<void> {
    this.#unwatch?.();
    this.#cluster.stop();
    await this.#loop.stop();
  }

  #consider(pod: Pod, removed: boolean): void {
    const key = queueKey(pod);
    if (removed || !isPending(pod)) this.#waiting.delete(key);
    // A pod that waits is looked at when there is room, not when its own status says that it waits.
    else if (!this.#waiting.has(key)) this.#loop.enqueue(key);
  }

  #retryWaiting(): void {
    for (const key of this.#waiting) this.#loop.enqueue(key);
  }

  async #schedule(key: string): Promise<undefined> {
    const pod = this.#registry.find(PODS, parseQueueKey(key));
    if (pod === undefined || !isPending(pod)) {
      this.#waiting.delete(key);
      return undefined;
    }
    const placement = place(
      { pod, requests: podAmounts(pod), hostPorts: podHostPorts(pod) },
      this.#cluster.nodes(),
    );
    try {
      if (placement.node === undefined) {
        this.#waiting.add(key);
        await this.#explain(pod, placement.message);
      } else {
        await this.#bind(pod, placement.node);
        this.#waiting.delete(key);
      }
    } catch (error) {
      // Deleted or changed meanwhile: its own event brings it back here if it still needs a node.
      const moot =
        error instanceof ApiError && (error.reason === 'NotFound' || error.reason === 'Conflict');
      if (!moot) throw error;
    }
    return undefined;
  }

  async #bind(pod: Pod, node: string): Promise<void> {
    const now = formatTime(this.#clock.nowMs());
    await this.#registry.update(
      PODS,
      objectKey(pod),
      (current) => ({
        ...current,
        spec: { ...current.spec, nodeName: node },
        status: {
          ...current.status,
          conditions: setCondition(
            current.status.conditions,
            { type: 'PodScheduled', status: 'True' },
            now,
          ),
        },
      }),
      { subresource: 'binding', uid: pod.metadata.uid },
    );
    const { namespace, name } = pod.metadata;
    const message = `Successfully assigned ${namespace}/${name} to ${node}`;
    this.#events.record(NAME, pod, { type: 'Normal', reason: 'Scheduled', message });
  }

  async #explain(pod: Pod, message: string): Promise<void> {
    const said = findCondition(pod.status.conditions, 'PodScheduled');
    if (said?.status === 'False' && said.message === message) return;
    const now = formatTime(this.#clock.nowMs());
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
    this.#events.record(NAME, pod, { type: 'Warning', reason: 'FailedScheduling', message });
    await this.#registry.update(
      PODS,
      objectKey(pod),
      (current) => ({
        ...current,
        status: {
          ...current.status,
          conditions: setCondition(current.status.conditions, condition, now),
        },
      }),
      { subresource: 'status', uid: pod.metadata.uid },
    );
  }
}

function isPending(pod: Pod): boolean {
  const ours = (pod.spec.schedulerName ?? NAME) === NAME;
  return (
    ours && !pod.spec.nodeName && !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined
  );
}
