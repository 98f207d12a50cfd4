import type { Logger } from '../../../shared/logger.ts';
import type { Clock } from '../../../shared/reconcile/clock.ts';
import { ReconcileLoop } from '../../../shared/reconcile/reconcile-loop.ts';
import type { Underway } from '../../../shared/reconcile/underway.ts';
import {
  CLUSTER_NETWORK_KEY,
  ENDPOINT_SLICE_PREFIX,
  SERVICE_PREFIX,
} from '../../../shared/wire/network-documents.ts';
import type { LocalPod } from '../../pods/collaborators.ts';
import type { AgentState } from '../../state/agent-state.ts';
import { assemblePlan, keepIfSame, planService } from './plan.ts';
import type { ProxyBackend } from './proxy-backend.ts';
import type {
  Endpoint,
  HealthCheckPlan,
  HostPort,
  NodePlan,
  Protocol,
  ProxyPlan,
  ServicePlan,
} from './proxy-plan.ts';
import { ServiceBook, type WatchedEndpoint } from './service-book.ts';

/** What the pods' own worker and probes know of the pods of this node. It outranks what slices say, with or without a master. */
export interface LocalReadiness {
  /** undefined: no opinion (not yet looked); a pod that is known to be gone has no address. */
  pod(uid: string): LocalPod | undefined;
  /** Called with the uids of pods whose answer may have changed. */
  subscribe(changed: (podUids: readonly string[]) => void): () => void;
}

/** Which remote endpoints stopped answering while the master was away. */
export interface RemoteHealth {
  isSilent(endpoint: Endpoint, protocol: Protocol): boolean;
  /** Where to learn, when it is needed, which remote endpoints there are. */
  watch(endpoints: () => Iterable<WatchedEndpoint>): void;
  subscribe(changed: () => void): () => void;
}

/** Answers load balancers about local endpoints; agent/host has the real one. */
export interface HealthCheckPorts {
  /** Serves these and no others. Ports that cannot be opened are reported and tried again with the next call. */
  serve(checks: readonly HealthCheckPlan[]): Promise<void>;
}

export interface ServiceProxyParts {
  state: AgentState;
  backend: ProxyBackend;
  nodeName: string;
  /** undefined until known; `nodeChanged` says that an answer changed. */
  nodeIp: () => string | undefined;
  podCidr: () => string | undefined;
  hostPorts: () => readonly HostPort[];
  local: LocalReadiness;
  remote: RemoteHealth;
  healthChecks: HealthCheckPorts;
  clock: Clock;
  log: Logger;
}

const BACKOFF_MS = { first: 500, max: 30_000 };
/** Endpoints that flap are followed at most so often; a single change is not held up. */
const LEAST_INTERVAL_MS = 50;
const THOROUGH_EVERY_MS = 60 * 60_000;
const KEY = 'services';

/**
 * Keeps the backend at what the saved state, the local pods and the silence of remote ones say. One apply at a time; what changes
 * meanwhile is in the next. It reads only what changed: a change costs the same with 10 and with 10,000 other services.
 */
export class ServiceProxy {
  readonly #parts: ServiceProxyParts;
  readonly #loop: ReconcileLoop;
  readonly #book = new ServiceBook();
  readonly #unsubscribe: (() => void)[] = [];
  readonly #dirty = new Set<string>();
  #plans = new Map<string, ServicePlan>();
  #node: NodePlan | undefined;
  #dnsAddress: string | undefined;
  #conflicts = '';
  #verifyDue: 'glance' | 'thorough' | undefined;
  #verifiedMs: number;
  #appliedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: ServiceProxyParts) {
    this.#parts = parts;
    this.#verifiedMs = parts.clock.monotonicMs();
    this.#loop = new ReconcileLoop({
      name: 'service proxy',
      clock: parts.clock,
      concurrency: 1,
      backoffMs: BACKOFF_MS,
      reconcile: () => this.#reconcile(),
      onError: (_key, error, attempt) =>
        parts.log.error('services could not be applied', { error: String(error), attempt }),
    });
  }

  /** Reads everything once and follows it from then on. */
  start(): void {
    const { state, local, remote, nodeName } = this.#parts;
    remote.watch(() => this.#book.remoteEndpoints(nodeName));
    this.#unsubscribe.push(
      state.subscribe((keys) => this.#saved(keys)),
      local.subscribe((uids) => this.#touch(uids.flatMap((uid) => this.#book.servicesOfPod(uid)))),
      remote.subscribe(() => this.#touch(this.#book.services.keys())),
    );
    const keys = [SERVICE_PREFIX, ENDPOINT_SLICE_PREFIX].flatMap((prefix) =>
      state.list(prefix).map(({ key }) => key),
    );
    this.#readNetwork();
    this.#read(keys);
    this.#loop.enqueue(KEY);
    this.#loop.start();
  }

  /** The rules stay: containers go on, and so do their services. */
  async stop(): Promise<void> {
    for (const end of this.#unsubscribe.splice(0)) end();
    await this.#loop.stop();
    await this.#parts.healthChecks.serve([]);
  }

  /** Call when the node's address, its pod CIDR or the host ports changed. */
  nodeChanged(): void {
    this.#loop.enqueue(KEY);
  }

  /**
   * Looks whether the rules are still there, and mends them. Call it where the device is awake anyway (the heartbeat): nothing here
   * has a timer for it. A glance costs some milliseconds; once an hour everything is read.
   */
  verify(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    const isThorough = nowMs - this.#verifiedMs >= THOROUGH_EVERY_MS;
    if (isThorough) this.#verifiedMs = nowMs;
    this.#verifyDue = isThorough ? 'thorough' : (this.#verifyDue ?? 'glance');
    this.#loop.enqueue(KEY);
  }

  get underway(): Underway | undefined {
    return this.#loop.underway;
  }

  /** Removes every trace of the backend; stop first. */
  async purge(): Promise<void> {
    await this.#parts.healthChecks.serve([]);
    await this.#parts.backend.purge();
  }

  #saved(keys: readonly string[]): void {
    if (keys.includes(CLUSTER_NETWORK_KEY)) this.#readNetwork();
    this.#read(keys);
  }

  #read(keys: readonly string[]): void {
    const { state } = this.#parts;
    const touched = new Set<string>();
    for (const key of keys) {
      if (key.startsWith(SERVICE_PREFIX)) {
        const object = state.get(key)?.object;
        touched.add(this.#book.setService(key.slice(SERVICE_PREFIX.length), object));
      } else if (key.startsWith(ENDPOINT_SLICE_PREFIX)) {
        const object = state.get(key)?.object;
        for (const service of this.#book.setSlice(key, object)) touched.add(service);
      }
    }
    this.#touch(touched);
  }

  #readNetwork(): void {
    const { dnsAddress } = this.#network();
    if (dnsAddress !== this.#dnsAddress) {
      this.#dnsAddress = dnsAddress;
      this.#touch(this.#book.services.keys());
    }
    this.#loop.enqueue(KEY);
  }

  #network(): { dnsAddress: string | undefined; clusterCidr: string | undefined } {
    const { dnsAddress, clusterCidr } = this.#parts.state.get(CLUSTER_NETWORK_KEY)?.object ?? {};
    return {
      dnsAddress: typeof dnsAddress === 'string' ? dnsAddress : undefined,
      clusterCidr: typeof clusterCidr === 'string' ? clusterCidr : undefined,
    };
  }

  #touch(services: Iterable<string>): void {
    const before = this.#dirty.size;
    for (const service of services) this.#dirty.add(service);
    if (this.#dirty.size > before) this.#loop.enqueue(KEY);
  }

  async #reconcile(): Promise<{ afterMs: number } | undefined> {
    const { backend, clock } = this.#parts;
    const sinceMs = clock.monotonicMs() - this.#appliedMs;
    if (sinceMs < LEAST_INTERVAL_MS) return { afterMs: LEAST_INTERVAL_MS - sinceMs };
    const verifyDue = this.#verifyDue;
    this.#verifyDue = undefined;
    if (verifyDue !== undefined) await backend.verify(verifyDue === 'thorough');
    const plan = this.#plan();
    try {
      await backend.apply(plan);
    } finally {
      this.#appliedMs = clock.monotonicMs();
    }
    const checks = [...plan.services.values()].flatMap(({ healthCheck }) => healthCheck ?? []);
    await this.#parts.healthChecks.serve(checks);
    return undefined;
  }

  #plan(): ProxyPlan {
    const { nodeName, local, remote } = this.#parts;
    const plans = new Map(this.#plans);
    for (const key of this.#dirty) {
      const service = this.#book.services.get(key);
      const plan =
        service &&
        planService({
          service,
          slices: this.#book.slicesOf(key),
          nodeName,
          dnsAddress: this.#dnsAddress,
          localPod: (uid) => local.pod(uid),
          isSilent: (endpoint, protocol) => remote.isSilent(endpoint, protocol),
        });
      if (plan === undefined) plans.delete(key);
      else plans.set(key, keepIfSame(this.#plans.get(key), plan));
    }
    this.#dirty.clear();
    this.#plans = plans;
    this.#node = keepIfSame(this.#node, this.#nodePlan());
    const { plan, conflicts } = assemblePlan(plans, this.#node);
    const said = JSON.stringify(conflicts);
    if (said !== this.#conflicts) {
      this.#conflicts = said;
      for (const conflict of conflicts) {
        this.#parts.log.warn('two services want one address', { ...conflict });
      }
    }
    return plan;
  }

  #nodePlan(): NodePlan {
    const { nodeIp, podCidr, hostPorts } = this.#parts;
    const { clusterCidr } = this.#network();
    return { nodeIp: nodeIp(), podCidr: podCidr(), clusterCidr, hostPorts: hostPorts() };
  }
}
