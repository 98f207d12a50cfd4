import type { Logger } from '../../shared/logger.ts';
import { formatIsoTime } from '../../shared/meta/time.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { containerNamed } from '../../shared/resources/pod-containers.ts';
import type { Container, Pod } from '../../shared/schema/kubernetes-types.ts';
import { normaliseImageName } from '../runtime/image-name.ts';
import { type Runtime, RuntimeError } from '../runtime/runtime.ts';
import { nextBackoff } from './backoff.ts';
import type { NodeFacts, PodLogs, PodSources, PodVolumes } from './collaborators.ts';
import type { ContainerIndex } from './container-index.ts';
import { containerSpec } from './container-spec.ts';
import { ContainerConfigError } from './environment.ts';
import type { ImageStore } from './image-store.ts';
import { runHook } from './lifecycle-hook.ts';
import { type Stopping, withoutHook } from './plan-stop.ts';
import type { PodAction, PodActionArguments } from './pod-actions.ts';
import type { PodEvents } from './pod-events.ts';
import { type PodHook, PodSetUpError, setUpPod, tearDownPod } from './pod-hook.ts';
import type { PodMemory } from './pod-memory.ts';

/** What executors work with. */
export interface ExecutorParts {
  agentId: string;
  runtime: Runtime;
  volumes: PodVolumes;
  hooks: readonly PodHook[];
  logs: PodLogs;
  sources: PodSources;
  node: NodeFacts;
  index: ContainerIndex;
  images: ImageStore;
  events: PodEvents;
  clock: Clock;
  log: Logger;
  /** The agent's steady time. */
  nowMs(): number;
  /** The pod is looked at again: something that was begun in the background has ended. */
  wake(podUid: string): void;
  /** The node has an image more. */
  imagePulled(): void;
  reportGone(memory: PodMemory, pod: Pod): Promise<void>;
  forget(memory: PodMemory): Promise<void>;
}

export interface ExecutorContext {
  parts: ExecutorParts;
  memory: PodMemory;
  /** Undefined for a pod that no desired state names. */
  pod: Pod | undefined;
}

/** Does one action. What can be expected to fail is noted in the pod's memory; a thrown error is retried by the loop. */
export async function execute(action: PodAction, context: ExecutorContext): Promise<void> {
  const executor = EXECUTORS[action.kind] as (
    action: PodAction,
    context: ExecutorContext,
  ) => Promise<void>;
  await executor(action, context);
}

/** One executor for each kind of action: a missing one does not compile. */
const EXECUTORS: {
  [Kind in keyof PodActionArguments]: (
    action: PodActionArguments[Kind],
    context: ExecutorContext,
  ) => Promise<void>;
} = {
  setUp: async ({ newSandbox }, { parts, memory, pod }) => {
    if (pod === undefined) return;
    memory.tornDown = false;
    try {
      const { sandbox, volumes } = await setUpPod(parts.hooks, pod, memory.record.ip);
      if (newSandbox && memory.record.sandbox > 0) {
        const message = 'Pod sandbox changed, it will be killed and re-created.';
        parts.events.pod(pod, 'Normal', 'SandboxChanged', message);
      }
      const attempt = newSandbox ? memory.record.sandbox + 1 : Math.max(1, memory.record.sandbox);
      memory.record = {
        ...memory.record,
        sandbox: attempt,
        ip: sandbox.ip,
        hostIp: sandbox.hostIp,
      };
      Object.assign(memory, {
        sandbox,
        volumes,
        sandboxState: 'ready',
        setUpProblem: undefined,
        setUpFailures: 0,
      });
    } catch (error) {
      if (!(error instanceof PodSetUpError)) throw error;
      parts.log.warn('pod set-up failed', {
        pod: memory.uid,
        reason: error.reason,
        error: error.message,
      });
      parts.events.pod(pod, 'Warning', error.reason, error.message);
      memory.setUpProblem = {
        reason: error.reason,
        message: error.message,
        retryAtMs: parts.nowMs() + setUpDelayMs(memory),
      };
    }
  },

  refreshVolumes: async (_action, { parts, memory, pod }) => {
    if (pod === undefined) return;
    memory.volumesStale = false;
    try {
      memory.volumes = await parts.volumes.setUp(pod);
    } catch (error) {
      // The containers go on with what they have; the next change of a document tries again.
      parts.events.pod(pod, 'Warning', 'FailedMount', messageOf(error));
    }
  },

  tearDown: async (_action, { parts, memory }) => {
    await tearDownPod(parts.hooks, memory.uid);
    memory.tornDown = true;
    memory.sandboxState = 'none';
    memory.sandbox = undefined;
    memory.volumes = undefined;
  },

  lookUpImage: async ({ image }, { parts }) => {
    await parts.images.lookUp(normaliseImageName(image));
  },

  pullImage: async ({ container, image }, { parts, memory, pod }) => {
    if (pod === undefined) return;
    const before = memory.pulls.get(image);
    memory.pulls.set(image, {
      state: 'pulling',
      failedBefore: before?.state === 'failed' ? before.failure : undefined,
    });
    parts.events.container(pod, container, 'Normal', 'Pulling', `Pulling image "${image}"`);
    // Not awaited: a pull takes minutes, and the pod must be deletable meanwhile.
    void pullInBackground(container, image, { parts, memory, pod }).finally(() =>
      parts.wake(memory.uid),
    );
  },

  startContainer: async (action, { parts, memory, pod }) => {
    const container = pod && containerNamed(pod.spec, action.container);
    if (pod === undefined || container === undefined) return;
    memory.problems.delete(container.name);
    if (action.alreadyPresent) {
      const message = `Container image "${container.image}" already present on machine`;
      parts.events.container(pod, container.name, 'Normal', 'Pulled', message);
    }
    const id = await createContainer(action, container, { parts, memory, pod });
    if (id === undefined) return;
    memory.pulls.delete(container.image ?? '');
    const before = memory.record.containers[container.name]?.run;
    if (before !== undefined) memory.stopping.delete(before.id);
    if (action.backoff !== undefined) {
      const known = memory.record.containers[container.name];
      memory.record.containers[container.name] = { ...known, backoff: action.backoff };
    }
    await startContainer(id, container, { parts, memory, pod });
  },

  terminate: async ({ id, container, message, replace, graceMs }, { parts, memory, pod }) => {
    const begun = memory.stopping.get(id);
    const nowMs = parts.nowMs();
    memory.postStart.get(id)?.abort();
    const known = memory.record.containers[container];
    if (replace && known?.run?.id === id) known.run = { ...known.run, replaced: true };
    if (pod !== undefined && begun === undefined) {
      parts.events.container(pod, container, 'Normal', 'Killing', message);
    }
    const stopping = {
      ...(begun ?? { sinceMs: nowMs }),
      ...(graceMs === undefined ? {} : { graceMs }),
    };
    if (pod !== undefined && containerNamed(pod.spec, container)?.lifecycle?.preStop) {
      noteStopping(memory, container, id, { ...stopping, preStop: 'running' });
      // Not awaited: the plan looks again when it is over, or its time.
      void preStop(id, container, nowMs - stopping.sinceMs, { parts, memory, pod });
      return;
    }
    noteStopping(memory, container, id, { ...stopping, signalledMs: nowMs });
    await parts.runtime.signal(id, stopSignal(known?.run?.image, parts.images));
  },

  signalStop: async ({ id, container }, { parts, memory }) => {
    const asked = memory.stopping.get(id);
    const signalledMs = parts.nowMs();
    noteStopping(memory, container, id, { sinceMs: signalledMs, ...asked, signalledMs });
    const image = memory.record.containers[container]?.run?.image;
    await parts.runtime.signal(id, stopSignal(image, parts.images));
  },

  kill: async ({ id, container }, { parts, memory }) => {
    const asked = memory.stopping.get(id);
    const killedAtMs = parts.nowMs();
    noteStopping(memory, container, id, { sinceMs: killedAtMs, ...asked, killedAtMs });
    memory.preStop.get(id)?.abort();
    await parts.runtime.signal(id, 'KILL');
  },

  removeContainer: async ({ id, container, log }, { parts, memory }) => {
    await parts.runtime.remove(id);
    parts.index.removed(id);
    memory.stopping.delete(id);
    memory.preStop.get(id)?.abort();
    memory.postStart.get(id)?.abort();
    memory.postStartFailed.delete(id);
    memory.startedHere.delete(id);
    memory.messages.delete(id);
    memory.startErrors.delete(id);
    if (log !== undefined) await parts.logs.removeAttempt(memory.uid, container, log);
  },

  fail: async ({ reason, message }, { parts, memory, pod }) => {
    memory.record = { ...memory.record, failed: { reason, message } };
    if (pod !== undefined) parts.events.pod(pod, 'Normal', reason, message);
  },

  reportGone: async (_action, { parts, memory, pod }) => {
    if (pod !== undefined) await parts.reportGone(memory, pod);
  },

  forget: async (_action, { parts, memory }) => {
    await parts.forget(memory);
  },
};

/** The kubelet retries mounts after 500 ms, doubling to about two minutes. */
function setUpDelayMs(memory: PodMemory): number {
  memory.setUpFailures++;
  return Math.min(122_000, 500 * 2 ** Math.min(10, memory.setUpFailures - 1));
}

async function pullInBackground(
  container: string,
  image: string,
  { parts, memory, pod }: ExecutorContext & { pod: Pod },
): Promise<void> {
  const askedMs = parts.nowMs();
  const before = memory.pulls.get(image);
  const failedBefore = before?.state === 'pulling' ? before.failedBefore : undefined;
  try {
    await parts.images.pull(normaliseImageName(image));
    memory.pulls.set(image, { state: 'pulled' });
    parts.imagePulled();
    const took = goSeconds(parts.nowMs() - askedMs);
    const message = `Successfully pulled image "${image}" in ${took} (${took} including waiting)`;
    parts.events.container(pod, container, 'Normal', 'Pulled', message);
  } catch (error) {
    const nowMs = parts.nowMs();
    const message = messageOf(error);
    parts.log.warn('image pull failed', { pod: memory.uid, image, error: message });
    parts.events.container(
      pod,
      container,
      'Warning',
      'Failed',
      `Failed to pull image "${image}": ${message}`,
    );
    const backoff = nextBackoff(failedBefore?.backoff, nowMs, nowMs);
    memory.pulls.set(image, { state: 'failed', failure: { message, failedAtMs: nowMs, backoff } });
  }
}

/** Answers the id; undefined: it could not be made, and memory.problems says why. */
async function createContainer(
  { attempt }: PodActionArguments['startContainer'],
  container: Container,
  { parts, memory, pod }: ExecutorContext & { pod: Pod },
): Promise<string | undefined> {
  const image = normaliseImageName(container.image ?? '');
  const imageConfig = parts.images.config(image);
  const { sandbox, volumes } = memory;
  if (sandbox === undefined || volumes === undefined) return undefined;
  try {
    if (imageConfig === undefined) {
      memory.pulls.delete(container.image ?? '');
      throw new RuntimeError('CreateContainerError', `image ${image} is not there any more`);
    }
    const [logPath, mounts] = await Promise.all([
      parts.logs.prepare(pod, container.name, attempt),
      parts.volumes.mounts(pod, container.name, volumes, sandbox),
    ]);
    const spec = containerSpec({
      agentId: parts.agentId,
      pod,
      container,
      attempt,
      sandboxAttempt: memory.record.sandbox,
      sandbox,
      image,
      imageConfig,
      mounts,
      logPath,
      sources: parts.sources,
      nodeName: parts.node.name,
      memoryCapacityBytes: parts.node.memoryBytes,
      allocatable: parts.node.allocatable(),
    });
    const id = await parts.runtime.create(spec);
    parts.index.put({
      id,
      name: spec.name,
      labels: spec.labels,
      state: 'created',
      createdAt: formatIsoTime(parts.nowMs()),
      image,
      imageId: imageConfig.imageId,
    });
    const message = `Created container: ${container.name}`;
    parts.events.container(pod, container.name, 'Normal', 'Created', message);
    return id;
  } catch (error) {
    noteProblem(error, container, { parts, memory, pod });
    return undefined;
  }
}

/** A wrong description waits for a change, a refusal of the engine is tried again at the kubelet's pace. */
function noteProblem(
  error: unknown,
  container: Container,
  { parts, memory, pod }: ExecutorContext & { pod: Pod },
): void {
  const message = messageOf(error);
  const isConfig = error instanceof ContainerConfigError || !(error instanceof RuntimeError);
  const reason = isConfig ? 'CreateContainerConfigError' : error.reason;
  // The image may have been removed behind the agent's back.
  if (!isConfig) parts.images.forget(normaliseImageName(container.image ?? ''));
  parts.log.warn('container not created', {
    pod: memory.uid,
    container: container.name,
    reason,
    error: message,
  });
  memory.problems.set(container.name, {
    reason,
    message,
    ...(error instanceof ContainerConfigError
      ? {}
      : { retryAtMs: parts.nowMs() + CREATE_RETRY_MS }),
  });
  parts.events.container(pod, container.name, 'Warning', 'Failed', `Error: ${message}`);
}

const CREATE_RETRY_MS = 10_000;

async function startContainer(
  id: string,
  container: Container,
  { parts, memory, pod }: ExecutorContext & { pod: Pod },
): Promise<void> {
  const startedAt = formatIsoTime(parts.nowMs());
  memory.startedHere.add(id);
  try {
    await parts.runtime.start(id);
    parts.index.started(id, startedAt);
    const message = `Started container ${container.name}`;
    parts.events.container(pod, container.name, 'Normal', 'Started', message);
    void postStart(id, container, { parts, memory, pod });
  } catch (error) {
    const message = messageOf(error);
    memory.startErrors.set(id, message);
    parts.index.started(id, startedAt);
    const finishedAtMs = parts.nowMs();
    parts.index.exited({ id, exitCode: START_ERROR_CODE, oomKilled: false, finishedAtMs });
    parts.log.warn('container not started', {
      pod: memory.uid,
      container: container.name,
      error: message,
    });
    parts.events.container(pod, container.name, 'Warning', 'Failed', `Error: ${message}`);
  }
}

/** In the background: the pod must be deletable meanwhile. */
async function postStart(
  id: string,
  container: Container,
  { parts, memory, pod }: ExecutorContext & { pod: Pod },
): Promise<void> {
  const hook = container.lifecycle?.postStart;
  if (hook === undefined) return;
  const abort = new AbortController();
  memory.postStart.set(id, abort);
  const host = memory.record.ip ?? '';
  const { signal } = abort;
  try {
    await runHook(hook, { ...parts, id, container, host, agoMs: 0, signal });
  } catch (error) {
    if (signal.aborted) return;
    parts.log.warn('postStart hook failed', hookFailure(memory, container.name, error));
    // The words of the hook may hold secrets.
    const message = 'PostStartHook failed';
    parts.events.container(pod, container.name, 'Warning', 'FailedPostStartHook', message);
    memory.postStartFailed.add(id);
  } finally {
    memory.postStart.delete(id);
    parts.wake(memory.uid);
  }
}

async function preStop(
  id: string,
  name: string,
  agoMs: number,
  { parts, memory, pod }: ExecutorContext & { pod: Pod },
): Promise<void> {
  const container = containerNamed(pod.spec, name);
  const hook = container?.lifecycle?.preStop;
  if (container === undefined || hook === undefined) return;
  const abort = new AbortController();
  memory.preStop.set(id, abort);
  const host = memory.record.ip ?? '';
  const { signal } = abort;
  try {
    await runHook(hook, { ...parts, id, container, host, agoMs, signal });
  } catch (error) {
    if (signal.aborted) return;
    parts.log.warn('preStop hook failed', hookFailure(memory, name, error));
    parts.events.container(pod, name, 'Warning', 'FailedPreStopHook', 'PreStopHook failed');
  } finally {
    memory.preStop.delete(id);
    const asked = memory.stopping.get(id);
    // One that was stopped is not over: the container is gone, or the agent's next life takes it up.
    if (asked?.preStop === 'running' && !signal.aborted) {
      memory.stopping.set(id, { ...asked, preStop: 'over' });
    }
    parts.wake(memory.uid);
  }
}

function hookFailure({ uid }: PodMemory, container: string, error: unknown) {
  return { pod: uid, container, error: messageOf(error) };
}

/** In the record too: an agent that is restarted meanwhile brings it to its end. */
function noteStopping(memory: PodMemory, container: string, id: string, stopping: Stopping): void {
  memory.stopping.set(id, stopping);
  const known = memory.record.containers[container];
  if (known?.run?.id !== id) return;
  const run = { ...known.run, stop: withoutHook(stopping) };
  const { containers } = memory.record;
  memory.record = {
    ...memory.record,
    containers: { ...containers, [container]: { ...known, run } },
  };
}

/** What a container that never ran ended with, as with containerd. */
const START_ERROR_CODE = 128;

/** The image's own STOPSIGNAL where it is one that a runtime sends. */
function stopSignal(
  image: string | undefined,
  images: ImageStore,
): 'TERM' | 'KILL' | 'HUP' | 'INT' | 'QUIT' | 'USR1' | 'USR2' {
  const wanted = images.config(image ?? '')?.stopSignal.replace(/^SIG/, '');
  switch (wanted) {
    case 'KILL':
    case 'HUP':
    case 'INT':
    case 'QUIT':
    case 'USR1':
    case 'USR2':
      return wanted;
    default:
      return 'TERM';
  }
}

function goSeconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)}ms` : `${Math.round(ms) / 1000}s`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
