import type { Logger } from '../../shared/logger.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import type { Underway } from '../../shared/reconcile/underway.ts';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import { HealthCheckServers } from '../host/health-check-ports.ts';
import type { LocalPod } from '../pods/collaborators.ts';
import type { AgentState } from '../state/agent-state.ts';
import { ClusterDns } from './dns/dns.ts';
import { hostPortsOf } from './host-ports.ts';
import { PeerRoutes } from './routes/routes.ts';
import { chooseProxyBackend } from './service-proxy/preflight.ts';
import { ServiceProxy } from './service-proxy/service-proxy.ts';
import { UnansweredEndpoints } from './service-proxy/unanswered-endpoints.ts';

export interface NodeNetworkParts {
  agentId: string;
  nodeName: string;
  /** Undefined until the device has joined. */
  clusterId: () => string | undefined;
  nodeIp: () => string;
  podCidr: () => string | undefined;
  isLinked: () => boolean;
  state: AgentState;
  /** What the node itself knows of its pods (pods/pod-worker.ts). */
  localPods: {
    localPod(podUid: string): LocalPod | undefined;
    subscribeAll(changed: (podUid: string) => void): () => void;
  };
  clock: Clock;
  random: () => number;
  log: Logger;
  /** `annotations` or `podMtuBytes` answer something else now. */
  onChange: () => void;
}

/** The node as the cluster's network sees it: names, services, and the ways to the pods of other nodes. */
export class NodeNetwork {
  readonly #parts: NodeNetworkParts;
  readonly #dns: ClusterDns;
  readonly #routes: PeerRoutes;
  readonly #remote: UnansweredEndpoints;
  #proxy: ServiceProxy | undefined;
  #ends: (() => void)[] = [];

  constructor(parts: NodeNetworkParts) {
    const { agentId, nodeName, state, clock, random, log, localPods } = parts;
    this.#parts = parts;
    this.#dns = new ClusterDns({
      ...{ agentId, nodeName, state, clock, random },
      log: log.child({ part: 'dns' }),
      localPod: (podUid) => localPods.localPod(podUid),
    });
    this.#routes = new PeerRoutes({ ...parts, log: log.child({ part: 'routes' }) });
    this.#remote = new UnansweredEndpoints({ clock });
  }

  /** Before the pods start: they need names and the size of packets. Problems of the kernel are logged and tried again. */
  async start(): Promise<void> {
    const { agentId, state, clock, random, log, localPods, nodeName, podCidr } = this.#parts;
    this.#dns.start();
    const serviceLog = log.child({ part: 'services' });
    const [{ backend }] = await Promise.all([
      chooseProxyBackend({ agentId, clock, random, log: serviceLog }),
      this.#routes.start(),
    ]);
    const proxy = new ServiceProxy({
      ...{ state, backend, nodeName, podCidr, clock },
      nodeIp: () => this.#knownNodeIp(),
      hostPorts: () => this.#hostPorts(),
      local: {
        pod: (podUid) => localPods.localPod(podUid),
        subscribe: (changed) => localPods.subscribeAll((podUid) => changed([podUid])),
      },
      remote: this.#remote,
      healthChecks: new HealthCheckServers((message) => serviceLog.warn(message)),
      log: serviceLog,
    });
    this.#proxy = proxy;
    this.#remote.setLinked(this.#parts.isLinked());
    proxy.start();
    this.#ends = [
      localPods.subscribeAll((podUid) => {
        this.#dns.podChanged(podUid);
        proxy.nodeChanged();
      }),
    ];
  }

  /** What is in the kernel stays and goes on working. */
  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0)) end();
    this.#remote.stop();
    await this.#proxy?.stop();
    await this.#routes.stop();
    await this.#dns.stop();
  }

  /** Cheap looks for what no event tells: the node's own addresses, foreign changes of the rules. */
  beat(): void {
    this.#remote.setLinked(this.#parts.isLinked());
    this.#routes.beat();
    this.#proxy?.verify();
  }

  /** The same, thoroughly; costs a few processes. */
  resync(): void {
    this.#routes.resync();
    this.#dns.resync();
  }

  get underway(): (Underway | undefined)[] {
    return [this.#dns.underway, this.#routes.underway, this.#proxy?.underway];
  }

  /** The node's pod CIDR or address became known or changed. */
  nodeChanged(): void {
    this.#proxy?.nodeChanged();
  }

  get dnsAddress(): string | undefined {
    return this.#dns.address;
  }

  get clusterDomain(): string {
    return this.#dns.domain;
  }

  podMtuBytes(): number {
    return this.#routes.podMtuBytes();
  }

  annotations(): Record<string, string> {
    return this.#routes.annotations();
  }

  /** A loopback address is what the node answers while it has no other: no packet may carry it as its source. */
  #knownNodeIp(): string | undefined {
    const address = this.#parts.nodeIp();
    return address.startsWith('127.') ? undefined : address;
  }

  #hostPorts() {
    const pods = this.#parts.state.list('pods/').flatMap(({ object }) => {
      const pod = object as unknown as Pod;
      const address = this.#parts.localPods.localPod(pod.metadata.uid)?.address;
      return address === undefined ? [] : [{ pod, address }];
    });
    return hostPortsOf(pods);
  }
}
