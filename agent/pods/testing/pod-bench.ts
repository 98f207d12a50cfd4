import type { JsonObject } from '../../../shared/meta/kube-object.ts';
import { ManualClock } from '../../../shared/reconcile/manual-clock.ts';
import type {
  Container,
  Pod,
  PodSpec,
  PodStatus,
} from '../../../shared/schema/kubernetes-types.ts';
import { silentLogger } from '../../../shared/silent-logger.ts';
import type { Report } from '../../link/outbox.ts';
import { Prober } from '../../probes/prober.ts';
import type { AgentState, DesiredDocument } from '../../state/agent-state.ts';
import { SavedPodSources } from '../../state/pod-sources.ts';
import type {
  PodCgroups,
  PodLogs,
  PodNetwork,
  PodSources,
  PodVolumes,
  Sandbox,
} from '../collaborators.ts';
import { PodEvents } from '../pod-events.ts';
import { PodWorker } from '../pod-worker.ts';
import { FakeRuntime } from './fake-runtime.ts';

/** The agent's state in memory. */
export class MemoryState implements AgentState {
  readonly documents = new Map<string, DesiredDocument>();
  readonly records = new Map<string, JsonObject>();
  isKnown = true;
  readonly #listeners = new Set<(keys: readonly string[]) => void>();
  #version = 0;

  get(key: string) {
    return this.documents.get(key);
  }

  list(prefix: string) {
    return [...this.documents.values()].filter(({ key }) => key.startsWith(prefix));
  }

  subscribe(listener: (keys: readonly string[]) => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  podRecord(uid: string) {
    return this.records.get(uid);
  }

  async savePodRecord(uid: string, record: JsonObject | undefined) {
    if (record === undefined) this.records.delete(uid);
    else this.records.set(uid, record);
  }

  /** The master's full set, at once; what was there and is not in it goes. */
  putAll(pods: readonly Pod[]): void {
    this.isKnown = true;
    const keys = new Set(this.documents.keys());
    this.documents.clear();
    for (const pod of pods) {
      const key = `pods/${pod.metadata.namespace}/${pod.metadata.name}`;
      const version = String(++this.#version);
      this.documents.set(key, { key, version, object: pod as unknown as JsonObject });
      keys.add(key);
    }
    for (const listener of this.#listeners) listener([...keys]);
  }

  put(key: string, object: object | undefined): void {
    if (object === undefined) this.documents.delete(key);
    else {
      const version = String(++this.#version);
      this.documents.set(key, { key, version, object: object as JsonObject });
    }
    for (const listener of this.#listeners) listener([key]);
  }
}

class MemoryNetwork implements PodNetwork {
  readonly sandboxes = new Map<string, Sandbox>();
  error: Error | undefined;
  #next = 2;

  async setUp(pod: Pod, wanted: string | undefined) {
    if (this.error !== undefined) throw this.error;
    const uid = pod.metadata.uid;
    const known = this.sandboxes.get(uid);
    if (known !== undefined) return known;
    const sandbox = {
      podUid: uid,
      ip: wanted ?? `10.42.0.${this.#next++}`,
      hostIp: '192.0.2.1',
      namespaces: { network: `/net/${uid}`, ipc: `/ipc/${uid}`, uts: `/uts/${uid}` },
      hostname: pod.metadata.name,
    };
    this.sandboxes.set(uid, sandbox);
    return sandbox;
  }

  async find(uid: string) {
    return this.sandboxes.get(uid);
  }

  async tearDown(uid: string) {
    this.sandboxes.delete(uid);
  }

  async list() {
    return [...this.sandboxes.keys()];
  }
}

class MemoryVolumes implements PodVolumes {
  readonly pods = new Set<string>();
  readonly messages = new Map<string, string>();
  error: Error | undefined;
  setUps = 0;

  async setUp(pod: Pod) {
    this.setUps++;
    if (this.error !== undefined) throw this.error;
    this.pods.add(pod.metadata.uid);
    return new Map<string, string>();
  }

  async tearDown(uid: string) {
    this.pods.delete(uid);
  }

  async mounts() {
    return [];
  }

  async terminationMessage(_uid: string, name: string) {
    return this.messages.get(name) ?? '';
  }

  async list() {
    return [...this.pods];
  }
}

class MemoryLogs implements PodLogs {
  readonly pods = new Set<string>();
  tailText = '';

  async prepare(pod: Pod, name: string, attempt: number) {
    this.pods.add(pod.metadata.uid);
    return `/logs/${pod.metadata.uid}/${name}/${attempt}.log`;
  }

  async tail() {
    return this.tailText;
  }

  async removeAttempt() {}

  async remove(uid: string) {
    this.pods.delete(uid);
  }

  async list() {
    return [...this.pods];
  }
}

class MemoryCgroups implements PodCgroups {
  readonly pods = new Set<string>();

  async tearDown(uid: string) {
    this.pods.delete(uid);
  }

  async list() {
    return [...this.pods];
  }
}

/** A node's pods on a fake engine, with time that the test moves. */
export class PodBench {
  readonly clock = new ManualClock();
  readonly state = new MemoryState();
  readonly cgroups = new MemoryCgroups();
  readonly network = new MemoryNetwork();
  readonly volumes = new MemoryVolumes();
  readonly logs = new MemoryLogs();
  readonly runtime = new FakeRuntime(() => this.clock.nowMs());
  readonly reports: Report[] = [];
  /** Keys of which nothing more is said. */
  readonly withdrawn: string[] = [];
  readonly events: string[] = [];
  readonly configMaps = new Map<string, Record<string, string>>();
  worker = this.#worker();

  #worker(): PodWorker {
    const sources: PodSources = {
      configMap: (namespace, name) => this.configMaps.get(`${namespace}/${name}`),
      configMapBinary: () => undefined,
      secret: () => undefined,
      services: (namespace) => new SavedPodSources(this.state).services(namespace),
    };
    const events = {
      record: (_about: object, { reason, message }: { reason: string; message: string }) => {
        this.events.push(`${reason}: ${message}`);
      },
    };
    const probes = new Prober({
      runtime: this.runtime,
      events: new PodEvents(events),
      clock: this.clock,
      random: () => 0.5,
      changed: (uid) => this.worker.wake(uid),
    });
    return new PodWorker({
      agentId: 'a1',
      runtime: this.runtime,
      cgroups: this.cgroups,
      network: this.network,
      volumes: this.volumes,
      logs: this.logs,
      state: this.state,
      sources,
      outbox: {
        put: (report) => this.reports.push(report),
        withdraw: (key) => this.withdrawn.push(key),
      },
      events,
      probes,
      node: {
        name: 'node1',
        ip: () => '192.0.2.1',
        memoryBytes: 1 << 30,
        allocatable: () => ({ cpuMilli: 2000, memoryBytes: 1 << 30 }),
      },
      clock: this.clock,
      log: silentLogger,
    });
  }

  async start(): Promise<void> {
    await this.worker.start();
    await this.settle();
  }

  /** The agent's process ends and another begins; containers run on. */
  async restart(): Promise<void> {
    await this.worker.stop();
    this.worker = this.#worker();
    await this.start();
  }

  async apply(pod: Pod): Promise<void> {
    this.state.put(`pods/${pod.metadata.namespace}/${pod.metadata.name}`, pod);
    await this.settle();
  }

  async drop(pod: Pod): Promise<void> {
    this.state.put(`pods/${pod.metadata.namespace}/${pod.metadata.name}`, undefined);
    await this.settle();
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }

  async exit(name: string, code: number, oomKilled = false): Promise<void> {
    this.runtime.exit(this.runtime.idOf(name), code, oomKilled);
    await this.settle();
  }

  /** Until nothing moves any more without time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** The last report of the pod. */
  report(pod: Pod): { status: PodStatus; gone?: boolean } {
    const found = this.reports.findLast(({ body }) => body['uid'] === pod.metadata.uid);
    if (found === undefined) throw new Error('nothing reported');
    return found.body as unknown as { status: PodStatus; gone?: boolean };
  }
}

export function container(name: string, more: Partial<Container> = {}): Container {
  return { name, image: 'app:1', imagePullPolicy: 'IfNotPresent', ...more };
}

export function pod(
  name: string,
  spec: Partial<PodSpec> = {},
  metadata: Partial<Pod['metadata']> = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: { containers: [container('web')], restartPolicy: 'Always', ...spec },
    status: {},
  };
}

export function deleted(of: Pod, graceSeconds = 30): Pod {
  return {
    ...of,
    metadata: {
      ...of.metadata,
      deletionTimestamp: '2026-01-01T00:00:00Z',
      deletionGracePeriodSeconds: graceSeconds,
    },
  };
}
