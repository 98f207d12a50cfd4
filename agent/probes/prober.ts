import type { Clock } from '../../shared/reconcile/clock.ts';
import { containerNamed } from '../../shared/resources/pod-containers.ts';
import type { Container, Pod, Probe } from '../../shared/schema/kubernetes-types.ts';
import type { ContainerProbes, FailedProbe, ProbedContainer } from '../pods/collaborators.ts';
import type { PodEvents } from '../pods/pod-events.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { probeExec } from './exec.ts';
import { probeGrpc } from './grpc.ts';
import type { ProbeAnswer, ProbeTarget } from './handler.ts';
import { probeHttp } from './http-get.ts';
import {
  afterOutcome,
  newProbeState,
  nextProbeInMs,
  type ProbeKind,
  type ProbeOutcome,
  type ProbeState,
} from './probe-state.ts';
import { probeTcp } from './tcp-socket.ts';

export interface ProberParts {
  runtime: Pick<Runtime, 'exec'>;
  events: Pick<PodEvents, 'container'>;
  clock: Clock;
  /** From 0 to 1. */
  random(): number;
  /** Something that pods are told by has changed. */
  changed(podUid: string): void;
}

/** A probe that cannot be made is tried this often before it counts as one. */
const TRIES = 3;

const FIELDS: Record<ProbeKind, 'startupProbe' | 'readinessProbe' | 'livenessProbe'> = {
  startup: 'startupProbe',
  readiness: 'readinessProbe',
  liveness: 'livenessProbe',
};

/** One probe of one run of a container. */
interface Running {
  kind: ProbeKind;
  spec: Probe;
  state: ProbeState;
  lastMs: number | undefined;
  notBeforeMs: number;
  /** Of the probe that is under way. One for each: a signal that lived as long as the container would gather listeners. */
  underWay: AbortController | undefined;
  cancelTimer: (() => void) | undefined;
}

/** One run of a container that has probes. */
interface Followed {
  pod: Pod;
  container: Container;
  id: string;
  host: string;
  startedMs: number;
  probes: Running[];
}

/**
 * Probes the running containers of this node. Each probe that has something left to say holds one timer, or one request that is under
 * way, and nothing else; a container without probes costs nothing. Invariant: nothing is heard of a run that is followed no more.
 */
export class Prober implements ContainerProbes {
  readonly #parts: ProberParts;
  /** By pod uid and container name. */
  readonly #pods = new Map<string, Map<string, Followed>>();

  constructor(parts: ProberParts) {
    this.#parts = parts;
  }

  follow(pod: Pod, host: string, running: readonly ProbedContainer[]): void {
    const { uid } = pod.metadata;
    const known = this.#pods.get(uid);
    for (const [name, followed] of known ?? []) {
      if (running.some(({ id }) => id === followed.id)) continue;
      this.#drop(followed);
      known?.delete(name);
    }
    for (const one of running) {
      const followed = this.#pods.get(uid)?.get(one.name);
      if (followed === undefined) this.#begin(pod, host, one);
      else this.#update(followed, pod, host);
    }
    if (known?.size === 0) this.#pods.delete(uid);
  }

  forget(podUid: string): void {
    for (const followed of this.#pods.get(podUid)?.values() ?? []) this.#drop(followed);
    this.#pods.delete(podUid);
  }

  stop(): void {
    for (const uid of [...this.#pods.keys()]) this.forget(uid);
  }

  isStarted(podUid: string, containerName: string): boolean {
    const followed = this.#pods.get(podUid)?.get(containerName);
    return followed === undefined || hasStarted(followed);
  }

  isReady(podUid: string, containerName: string): boolean {
    const probe = this.#probe(podUid, containerName, 'readiness');
    return probe === undefined || probe.state.verdict === 'success';
  }

  failures(podUid: string): FailedProbe[] {
    return [...(this.#pods.get(podUid)?.values() ?? [])].flatMap(({ id, probes }) =>
      probes.flatMap(({ kind, spec, state }) => {
        if (kind === 'readiness' || state.verdict !== 'failure') return [];
        const graceSeconds = spec.terminationGracePeriodSeconds;
        return [{ id, probe: kind, ...(graceSeconds === undefined ? {} : { graceSeconds }) }];
      }),
    );
  }

  #probe(podUid: string, containerName: string, kind: ProbeKind): Running | undefined {
    return this.#pods
      .get(podUid)
      ?.get(containerName)
      ?.probes.find((probe) => probe.kind === kind);
  }

  #begin(pod: Pod, host: string, { name, id, startedAt, before }: ProbedContainer): void {
    const container = containerNamed(pod.spec, name);
    if (container === undefined) return;
    const { clock, random } = this.#parts;
    const nowMs = clock.monotonicMs();
    const ageMs = startedAt === undefined ? 0 : clock.nowMs() - Date.parse(startedAt);
    const probes = (Object.keys(FIELDS) as ProbeKind[]).flatMap((kind): Running[] => {
      const spec = container[FIELDS[kind]];
      if (spec === undefined) return [];
      const state = newProbeState(kind, knownVerdict(kind, before));
      const spreadMs = before === undefined ? 0 : random() * (spec.periodSeconds ?? 10) * 1000;
      const notBeforeMs = nowMs + spreadMs;
      const idle = { lastMs: undefined, underWay: undefined, cancelTimer: undefined };
      return [{ kind, spec, state, notBeforeMs, ...idle }];
    });
    if (probes.length === 0) return;
    const startedMs = nowMs - Math.max(0, ageMs || 0);
    const followed = { pod, container, id, host, startedMs, probes };
    const ofPod = this.#pods.get(pod.metadata.uid) ?? new Map<string, Followed>();
    this.#pods.set(pod.metadata.uid, ofPod.set(name, followed));
    this.#update(followed, pod, host);
    this.#schedule(followed);
  }

  /** A pod on its way out is no more killed for its liveness, and counts as started; its readiness goes on being told. */
  #update(followed: Followed, pod: Pod, host: string): void {
    followed.pod = pod;
    followed.host = host;
    if (pod.metadata.deletionTimestamp === undefined) return;
    for (const probe of followed.probes) {
      if (probe.kind === 'readiness' || probe.state.isOver) continue;
      probe.cancelTimer?.();
      probe.cancelTimer = undefined;
      probe.underWay?.abort();
      probe.state = { ...probe.state, verdict: 'success', isOver: true };
    }
    this.#schedule(followed);
  }

  #drop(followed: Followed): void {
    for (const { cancelTimer, underWay } of followed.probes) {
      cancelTimer?.();
      underWay?.abort();
    }
  }

  /** One timer for each probe that is due some time. */
  #schedule(followed: Followed): void {
    const { clock } = this.#parts;
    for (const probe of followed.probes) {
      if (probe.underWay !== undefined || probe.cancelTimer !== undefined) continue;
      const times = { ...probe, startedMs: followed.startedMs };
      const { kind, spec, state } = probe;
      const nowMs = clock.monotonicMs();
      const inMs = nextProbeInMs(kind, spec, state, hasStarted(followed), times, nowMs);
      if (inMs === undefined) continue;
      probe.cancelTimer = clock.after(inMs, () => {
        probe.cancelTimer = undefined;
        void this.#run(followed, probe);
      });
    }
  }

  async #run(followed: Followed, probe: Running): Promise<void> {
    const { clock, changed } = this.#parts;
    const abort = new AbortController();
    probe.underWay = abort;
    probe.lastMs = clock.monotonicMs();
    const outcome = await this.#outcome(followed, probe, abort.signal);
    probe.underWay = undefined;
    if (abort.signal.aborted) return;
    const before = probe.state.verdict;
    probe.state = afterOutcome(probe.kind, probe.spec, probe.state, outcome);
    // What was due for a container that had not started yet is due now, and not a period late.
    this.#schedule(followed);
    if (probe.state.verdict !== before) changed(followed.pod.metadata.uid);
  }

  /** Makes the probe and tells its events; what it says of a run that is over is told to nobody. */
  async #outcome(followed: Followed, probe: Running, signal: AbortSignal): Promise<ProbeOutcome> {
    const say = (reason: string, message: string) => {
      if (!signal.aborted) this.#say(followed, reason, message);
    };
    const title = `${probe.kind[0]?.toUpperCase()}${probe.kind.slice(1)} probe`;
    try {
      const { outcome, output } = await this.#answer(followed, probe.spec, signal);
      if (outcome === 'failure') say('Unhealthy', `${title} failed: ${output}`);
      if (outcome === 'warning') say('ProbeWarning', `${title} warning: ${output}`);
      return outcome === 'failure' ? 'failure' : 'success';
    } catch (error) {
      const words = `errored and resulted in unknown state: ${(error as Error).message}`;
      say('Unhealthy', `${title} ${words}`);
      return 'error';
    }
  }

  async #answer(followed: Followed, spec: Probe, signal: AbortSignal): Promise<ProbeAnswer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#ask(spec, {
          id: followed.id,
          container: followed.container,
          host: followed.host,
          timeoutMs: (spec.timeoutSeconds ?? 1) * 1000,
          signal,
        });
      } catch (error) {
        if (attempt === TRIES || signal.aborted) throw error;
      }
    }
  }

  async #ask({ exec, httpGet, tcpSocket, grpc }: Probe, target: ProbeTarget): Promise<ProbeAnswer> {
    if (exec) return await probeExec(exec, target, this.#parts.runtime);
    if (httpGet) return await probeHttp(httpGet, target);
    if (tcpSocket) return await probeTcp(tcpSocket, target);
    if (grpc) return await probeGrpc(grpc, target);
    throw new Error(`missing probe handler for ${target.container.name}`);
  }

  #say({ pod, container }: Followed, reason: string, message: string): void {
    this.#parts.events.container(pod, container.name, 'Warning', reason, message);
  }
}

function hasStarted({ probes }: Followed): boolean {
  const startup = probes.find(({ kind }) => kind === 'startup');
  return startup === undefined || startup.state.verdict === 'success';
}

/** What an earlier life of the agent reported last of this very run: it holds until a probe says otherwise. */
function knownVerdict(
  kind: ProbeKind,
  before: ProbedContainer['before'],
): 'success' | 'failure' | undefined {
  if (before === undefined) return undefined;
  if (kind === 'readiness') return before.ready ? 'success' : 'failure';
  return kind === 'startup' && before.started ? 'success' : undefined;
}
