import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../../shared/logger.ts';
import { isConditionTrue } from '../../shared/meta/condition.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { ReconcileLoop } from '../../shared/reconcile/reconcile-loop.ts';
import type { Underway } from '../../shared/reconcile/underway.ts';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import type { Outbox } from '../link/outbox.ts';
import { normaliseImageName } from '../runtime/image-name.ts';
import { type Runtime, RuntimeError } from '../runtime/runtime.ts';
import type { AgentState } from '../state/agent-state.ts';
import type {
  ContainerProbes,
  ContainerRuns,
  EventRecorder,
  LocalPod,
  NodeFacts,
  PodCgroups,
  PodLogs,
  PodNetwork,
  PodSources,
  PodVolumes,
} from './collaborators.ts';
import { ContainerIndex } from './container-index.ts';
import { type ExecutorParts, execute } from './execute.ts';
import { ImageStore } from './image-store.ts';
import type { ObservedPod } from './observed-pod.ts';
import { planPod } from './plan.ts';
import type { ImageView } from './plan-image.ts';
import { PodEvents } from './pod-events.ts';
import { podHooks } from './pod-hook.ts';
import { clearProblems, newPodMemory, type PodMemory } from './pod-memory.ts';
import { PodProbes } from './pod-probes.ts';
import {
  foldObserved,
  isOver,
  newPodRecord,
  readPodRecord,
  runsOfContainer,
} from './pod-record.ts';
import { PodReports } from './pod-reports.ts';
import { API_SERVICE_KEY } from './service-environment.ts';
import { podStatus } from './status.ts';
import { readMessages } from './termination-message.ts';

export interface PodWorkerParts {
  agentId: string;
  runtime: Runtime;
  cgroups: PodCgroups;
  network: PodNetwork;
  volumes: PodVolumes;
  logs: PodLogs;
  state: AgentState;
  sources: PodSources;
  outbox: Outbox;
  events: EventRecorder;
  node: NodeFacts;
  clock: Clock;
  log: Logger;
  /** Absent: nothing is probed, and a container that runs is started and ready. */
  probes?: ContainerProbes;
  /** The list of the node's images has changed. */
  onImagePulled?: () => void;
  /** Pods that are worked on at once; 4 if absent. */
  concurrency?: number;
}

/** Not a pod: the key under which the loop reads what there is on the machine. */
const RESYNC = '';
/** Of the documents beside the pods, those that pods are made of; what changes for proxy and names is none of theirs. */
const SOURCE_KEY = /^(configmaps|secrets|nodes)\//;
/** More steps than any pod takes from nothing to running; beyond it the others get their turn. */
const STEPS_AT_ONCE = 50;

/**
 * Brings the pods of this node to what the saved state wants: one key per pod uid. Invariants: nothing is done before the state on
 * the machine was read once and the saved state is known; what runs is adopted by its labels; only what no saved document names is removed; a pod's record is on
 * disk before its status is reported.
 */
export class PodWorker implements ContainerRuns {
  readonly #parts: PodWorkerParts;
  readonly #loop: ReconcileLoop;
  readonly #index: ContainerIndex;
  readonly #images: ImageStore;
  readonly #events: PodEvents;
  readonly #executors: ExecutorParts;
  readonly #probes: PodProbes;
  readonly #reports: PodReports;
  readonly #memories = new Map<string, PodMemory>();
  readonly #desired = new Map<string, Pod>();
  readonly #uidOfKey = new Map<string, string>();
  /** Without a uid: of every pod. */
  readonly #listeners = new Set<{
    podUid: string | undefined;
    changed: (podUid: string) => void;
  }>();
  /** Undoes the subscriptions. */
  readonly #ends: (() => void)[] = [];
  #timeOrigin = { wallMs: 0, monotonicMs: 0 };
  #isSynced = false;
  /** The machine was read, and the master's first full set is waited for. */
  #isHeld = false;

  constructor(parts: PodWorkerParts) {
    this.#parts = parts;
    this.#probes = new PodProbes({
      probes: parts.probes,
      scheme: parts.runtime.name,
      nodeIp: () => parts.node.ip(),
    });
    this.#reports = new PodReports(parts);
    this.#index = new ContainerIndex(parts.runtime);
    this.#images = new ImageStore(parts.runtime, () => this.#nowMs());
    this.#events = new PodEvents(parts.events);
    this.#executors = {
      agentId: parts.agentId,
      runtime: parts.runtime,
      volumes: parts.volumes,
      hooks: podHooks(parts.cgroups, parts.volumes, parts.network),
      logs: parts.logs,
      sources: parts.sources,
      node: parts.node,
      index: this.#index,
      images: this.#images,
      events: this.#events,
      clock: parts.clock,
      log: parts.log,
      nowMs: () => this.#nowMs(),
      wake: (uid) => this.#loop.enqueue(uid),
      imagePulled: () => parts.onImagePulled?.(),
      reportGone: (memory, pod) => this.#reports.publishGone(memory, pod),
      forget: (memory) => this.#forget(memory),
    };
    this.#loop = new ReconcileLoop({
      name: 'pods',
      clock: parts.clock,
      concurrency: parts.concurrency ?? 4,
      backoffMs: { first: 500, max: 60_000 },
      reconcile: (key, signal) => (key === RESYNC ? this.#resync() : this.#reconcile(key, signal)),
      onError: (key, error, attempt) =>
        parts.log.warn('pod not reconciled', { pod: key, attempt, error: String(error) }),
    });
  }

  /** The saved state must be loaded. Answers at once: what there is on the machine is read by the loop, and again until it works. */
  async start(): Promise<void> {
    const { clock, state, runtime } = this.#parts;
    this.#timeOrigin = { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
    this.#ends.push(state.subscribe((keys) => this.#documentsChanged(keys)));
    for (const { key } of state.list('pods/')) this.#loadPod(key);
    this.#ends.push(await runtime.watch((exit) => this.#exited(exit)));
    this.#loop.enqueue(RESYNC);
    this.#loop.start();
  }

  /** What runs goes on running; pulls that are under way end by themselves, hooks are left to the next life of the agent. */
  async stop(): Promise<void> {
    this.#probes.stop();
    for (const { postStart, preStop } of this.#memories.values()) {
      for (const hook of [...postStart.values(), ...preStop.values()]) hook.abort();
    }
    for (const end of this.#ends.splice(0)) end();
    await this.#loop.stop();
    await Promise.allSettled([...this.#memories.values()].map(({ publishing }) => publishing));
  }

  get underway(): Underway | undefined {
    return this.#loop.underway;
  }

  /** Reads anew what there is on the machine: after a watch was lost, and now and then as a net. */
  resync(): void {
    this.#loop.enqueue(RESYNC);
  }

  /** Looks at a pod again: its probes have changed their mind. */
  wake(podUid: string): void {
    if (this.#isSynced) this.#loop.enqueue(podUid);
  }

  /** The engine's id of this run, while it runs. */
  runningContainer(podUid: string, container: string, attempt: number): string | undefined {
    const found = this.#index
      .ofPod(podUid)
      .find((one) => one.container === container && one.attempt === attempt);
    return found?.state === 'running' ? found.id : undefined;
  }

  /** A container's status and the numbers of its last two runs, for who serves its log. */
  look(podUid: string, container: string) {
    const record = this.#memories.get(podUid)?.record;
    return record && runsOfContainer(record, container);
  }

  /**
   * What this node itself knows of a pod, whatever the master last heard: for services and names, which must not wait for it. Undefined
   * until the machine was read; a pod that is gone or over has no address. A pod of another node counts as gone.
   */
  localPod(podUid: string): LocalPod | undefined {
    if (!this.#isSynced) return undefined;
    const desired = this.#desired.get(podUid);
    const record = this.#memories.get(podUid)?.record;
    const status = record?.status;
    if (desired === undefined) return { ready: false, terminating: true, address: undefined };
    return {
      ready: isConditionTrue(status?.conditions, 'Ready'),
      terminating: desired.metadata.deletionTimestamp !== undefined,
      // Its status names the address on, which may be another pod's by now.
      address: record === undefined || isOver(record) ? undefined : status?.podIP,
    };
  }

  /** Calls back with the uid of every pod whose status differs from before; the answer ends that. */
  subscribeAll(changed: (podUid: string) => void): () => void {
    const listener = { podUid: undefined, changed };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls back whenever the pod's status was worked out anew and differs; the answer ends that. */
  subscribe(podUid: string, changed: () => void): () => void {
    const listener = { podUid, changed };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Steady time: the wall clock of the start, moved on by the monotonic one, so that no jump of the wall clock shortens a wait. */
  #nowMs(): number {
    const { wallMs, monotonicMs } = this.#timeOrigin;
    return Math.round(wallMs + this.#parts.clock.monotonicMs() - monotonicMs);
  }

  async #resync(): Promise<undefined> {
    const { cgroups, network, volumes, logs } = this.#parts;
    const [, sandboxes, volumeUids, cgroupUids, logUids] = await Promise.all([
      this.#index.refresh(),
      network.list(),
      volumes.list(),
      cgroups.list(),
      logs.list(),
    ]);
    if (!this.#parts.state.isKnown) {
      const containers = this.#index.podUids().length;
      if (!this.#isHeld) this.#parts.log.info('pods wait for the master', { containers });
      this.#isHeld = true;
      return undefined;
    }
    this.#isHeld = false;
    const setUp = new Set([...sandboxes, ...volumeUids, ...cgroupUids]);
    const known = [...setUp, ...logUids, ...this.#index.podUids()];
    const isFirst = !this.#isSynced;
    this.#isSynced = true;
    for (const uid of new Set([...this.#desired.keys(), ...this.#memories.keys(), ...known])) {
      if (uid === '') continue;
      const memory = this.#memory(uid);
      if (isFirst) memory.tornDown = !setUp.has(uid);
      else if (memory.sandboxState === 'ready') memory.sandboxState = 'unknown';
      this.#loop.enqueue(uid);
    }
    this.#parts.log.info('pods read from the machine', {
      desired: this.#desired.size,
      containers: this.#index.podUids().length,
      sandboxes: sandboxes.length,
    });
    return undefined;
  }

  #documentsChanged(keys: readonly string[]): void {
    if (this.#isHeld && this.#parts.state.isKnown) this.#loop.enqueue(RESYNC);
    for (const key of keys) {
      if (key.startsWith('pods/')) this.#podChanged(key);
      else if (key === API_SERVICE_KEY) this.#servicesCame();
      else if (SOURCE_KEY.test(key)) this.#sourceChanged(key);
    }
  }

  #podChanged(key: string): void {
    const uidBefore = this.#uidOfKey.get(key);
    const before = uidBefore === undefined ? undefined : this.#desired.get(uidBefore);
    const uidAfter = this.#loadPod(key);
    const after = uidAfter === undefined ? undefined : this.#desired.get(uidAfter);
    const isSame = isDeepStrictEqual(wantedOf(before), wantedOf(after));
    for (const uid of new Set([uidBefore, uidAfter])) {
      if (uid === undefined || !this.#isSynced) continue;
      const memory = this.#memories.get(uid);
      if (memory !== undefined && !isSame) clearProblems(memory);
      this.#loop.enqueue(uid);
    }
  }

  /** A ConfigMap, a Secret or the Node: whoever may use it looks again. */
  #sourceChanged(key: string): void {
    const [kind, namespace] = key.split('/');
    for (const [uid, pod] of this.#desired) {
      if (kind !== 'nodes' && pod.metadata.namespace !== namespace) continue;
      const memory = this.#memories.get(uid);
      if (memory === undefined || (kind === 'nodes' && memory.setUpProblem === undefined)) continue;
      clearProblems(memory);
      this.#loop.enqueue(uid);
    }
  }

  /** Containers wait for the first services; those that run keep the environment that they have. */
  #servicesCame(): void {
    for (const [uid, memory] of this.#memories) {
      if (memory.problems.size === 0) continue;
      memory.problems.clear();
      this.#loop.enqueue(uid);
    }
  }

  /** Answers the uid that the document names now. */
  #loadPod(key: string): string | undefined {
    const before = this.#uidOfKey.get(key);
    if (before !== undefined) this.#desired.delete(before);
    this.#uidOfKey.delete(key);
    const object = this.#parts.state.get(key)?.object;
    if (object === undefined) return undefined;
    const pod = object as unknown as Pod;
    this.#desired.set(pod.metadata.uid, pod);
    this.#uidOfKey.set(key, pod.metadata.uid);
    return pod.metadata.uid;
  }

  #exited(exit: Parameters<ContainerIndex['exited']>[0]): void {
    const uid = this.#index.exited(exit);
    if (!this.#isSynced) return;
    if (uid === undefined) this.#loop.enqueue(RESYNC);
    else this.#loop.enqueue(uid);
  }

  #memory(uid: string): PodMemory {
    const known = this.#memories.get(uid);
    if (known !== undefined) return known;
    const nowMs = this.#nowMs();
    const saved = this.#parts.state.podRecord(uid);
    const { namespace = '', name = '' } = this.#desired.get(uid)?.metadata ?? {};
    const record =
      saved === undefined ? newPodRecord(namespace, name, nowMs) : readPodRecord(saved, nowMs);
    const memory = newPodMemory(uid, record);
    if (saved === undefined) memory.tornDown = true;
    this.#memories.set(uid, memory);
    return memory;
  }

  async #reconcile(uid: string, signal: AbortSignal): Promise<{ afterMs: number } | undefined> {
    if (!this.#isKnown(uid)) return undefined;
    const memory = this.#memory(uid);
    try {
      for (let step = 0; step < STEPS_AT_ONCE; step++) {
        const plan = await this.#step(memory);
        if (plan.actions.length === 0 || signal.aborted || !this.#memories.has(uid)) {
          await memory.publishing;
          const { lookAgainAfterMs } = plan;
          return lookAgainAfterMs === undefined ? undefined : { afterMs: lookAgainAfterMs };
        }
      }
      return { afterMs: 0 };
    } catch (error) {
      // What the engine has may differ from what is thought now.
      await this.#index.refresh();
      throw error;
    }
  }

  /** False for a pod that was forgotten after its key had become due again. */
  #isKnown(uid: string): boolean {
    return this.#desired.has(uid) || this.#memories.has(uid) || this.#index.ofPod(uid).length > 0;
  }

  /** Observes, plans, says what is, and does what was planned. */
  async #step(memory: PodMemory) {
    const pod = this.#desired.get(memory.uid);
    const observed = await this.#observe(memory, pod);
    if (pod === undefined) this.#probes.forget(memory.uid);
    const nowMs = this.#nowMs();
    const plan = planPod(pod, observed, nowMs);
    if (pod !== undefined) {
      this.#events.waiting(pod, memory.waiting, plan.waiting);
      memory.waiting = plan.waiting;
      if (memory.record.gone !== true) this.#updateStatus(memory, pod, plan.finished, nowMs);
      this.#reports.publish(memory, pod);
    }
    const context = { parts: this.#executors, memory, pod };
    const done = await Promise.allSettled(plan.actions.map((action) => execute(action, context)));
    for (const result of done) if (result.status === 'rejected') throw result.reason;
    return plan;
  }

  async #observe(memory: PodMemory, pod: Pod | undefined): Promise<ObservedPod> {
    const sandbox =
      memory.sandboxState === 'unknown' ? await this.#findSandbox(memory) : memory.sandboxState;
    const containers = this.#index.ofPod(memory.uid);
    await readMessages(memory, pod, containers, this.#parts);
    memory.record = foldObserved(
      memory.record,
      containers,
      {
        messages: memory.messages,
        startErrors: memory.startErrors,
        scheme: this.#parts.runtime.name,
      },
      this.#nowMs(),
    );
    if (pod !== undefined) this.#probes.follow(memory, pod, containers);
    return {
      containers,
      record: memory.record,
      sandbox,
      setUpProblem: memory.setUpProblem,
      volumesStale: memory.volumesStale,
      tornDown: memory.tornDown,
      images: (image) => this.#imageView(memory, image),
      problems: memory.problems,
      stopping: memory.stopping,
      failures: this.#probes.failures(memory),
      inPostStart: new Set(memory.postStart.keys()),
      isStarted: (container) => this.#probes.readinessOf(memory).isStarted(memory.uid, container),
    };
  }

  /** A pod that had a sandbox, or has containers, and shows none now has lost it. */
  async #findSandbox(memory: PodMemory): Promise<ObservedPod['sandbox']> {
    const found = await this.#parts.network.find(memory.uid);
    const had = memory.record.sandbox > 0 || this.#index.ofPod(memory.uid).length > 0;
    memory.sandboxState = found !== undefined ? 'found' : had ? 'lost' : 'none';
    return memory.sandboxState;
  }

  #imageView(memory: PodMemory, image: string): ImageView {
    const pull = memory.pulls.get(image);
    if (pull !== undefined) return pull;
    try {
      const known = this.#images.known(normaliseImageName(image));
      if (known === undefined) return { state: 'unknown' };
      if ('absentSinceMs' in known) return { state: 'absent', seenAtMs: known.absentSinceMs };
      return { state: 'present' };
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      return { state: 'invalid', message: error.message };
    }
  }

  #updateStatus(memory: PodMemory, pod: Pod, finished: boolean, nowMs: number): void {
    const status = podStatus(
      pod,
      {
        record: memory.record,
        waiting: memory.waiting,
        readiness: this.#probes.readinessOf(memory),
        scheme: this.#parts.runtime.name,
        finished,
        hasSandbox: memory.sandboxState === 'ready' || memory.sandboxState === 'found',
        hostIp: this.#parts.node.ip(),
      },
      nowMs,
    );
    if (isDeepStrictEqual(status, memory.record.status)) return;
    memory.record = { ...memory.record, status };
    this.#tellListeners(memory.uid);
  }

  #tellListeners(uid: string): void {
    for (const { podUid, changed } of this.#listeners) {
      if (podUid === undefined || podUid === uid) changed(uid);
    }
  }

  async #forget(memory: PodMemory): Promise<void> {
    this.#probes.forget(memory.uid);
    await memory.publishing;
    await this.#parts.state.savePodRecord(memory.uid, undefined);
    // The logs' folder is what a start finds a forgotten pod by: it goes last.
    await this.#parts.logs.remove(memory.uid);
    this.#memories.delete(memory.uid);
    this.#reports.withdraw(memory);
    this.#tellListeners(memory.uid);
  }
}

/** What of a pod its containers and volumes depend on: its status and its versions are not. */
function wantedOf(pod: Pod | undefined) {
  if (pod === undefined) return undefined;
  const { uid, labels, annotations, deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  return {
    uid,
    labels,
    annotations,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    spec: pod.spec,
  };
}
