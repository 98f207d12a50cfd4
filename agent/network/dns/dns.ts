import type { Logger } from '../../../shared/logger.ts';
import type { Clock } from '../../../shared/reconcile/clock.ts';
import { ReconcileLoop } from '../../../shared/reconcile/reconcile-loop.ts';
import type { AgentState } from '../../state/agent-state.ts';
import { DnsAddress } from './dns-address.ts';
import { Responder } from './responder.ts';
import { DnsServer } from './server.ts';
import type { DnsService, DnsSlice } from './service-names.ts';
import { Zone } from './zone.ts';

export interface ClusterDnsParts {
  agentId: string;
  state: Pick<AgentState, 'get' | 'list' | 'subscribe'>;
  clock: Clock;
  /** In [0, 1): orders the addresses of an answer. */
  random: () => number;
  log: Logger;
  /** 53 if absent. */
  port?: number;
}

/** What `cluster//network` says, as far as names go. */
interface NetworkDocument {
  clusterCidr: string;
  serviceCidr: string;
  dnsAddress: string;
  clusterDomain: string;
}

const NETWORK_KEY = 'cluster//network';
const DNS_PORT = 53;

/**
 * The DNS server of this node: answers at the cluster's DNS address from what the node has saved, with or without a master. Starts
 * serving as soon as the saved state says where, and follows every change of it.
 */
export class ClusterDns {
  readonly #parts: ClusterDnsParts;
  readonly #address: DnsAddress;
  readonly #loop: ReconcileLoop;
  #zone = new Zone({ domain: 'cluster.local', address: '', cidrs: [] });
  #network: NetworkDocument | undefined;
  #server: { address: string; server: DnsServer } | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(parts: ClusterDnsParts) {
    this.#parts = parts;
    this.#address = new DnsAddress(parts.agentId);
    this.#loop = new ReconcileLoop({
      name: 'dns',
      clock: parts.clock,
      concurrency: 1,
      backoffMs: { first: 500, max: 30_000 },
      reconcile: () => this.#serve(),
      onError: (_key, error) =>
        parts.log.warn('names are not served yet', { error: String(error) }),
    });
  }

  /** Serving begins in the background; a failure to bind is logged and tried again. */
  start(): void {
    this.#unsubscribe = this.#parts.state.subscribe((keys) => this.#changed(keys));
    this.#loadAll();
    this.#loop.start();
    this.#loop.enqueue('serve');
  }

  /** The address stays where it is: the next agent goes on with it. */
  async stop(): Promise<void> {
    this.#unsubscribe?.();
    await this.#loop.stop();
    await this.#server?.server.stop();
    this.#server = undefined;
  }

  #loadAll(): void {
    const { state } = this.#parts;
    this.#network = state.get(NETWORK_KEY)?.object as NetworkDocument | undefined;
    if (this.#network === undefined) return;
    const { clusterDomain, dnsAddress, clusterCidr, serviceCidr } = this.#network;
    this.#zone = new Zone({
      domain: clusterDomain,
      address: dnsAddress,
      cidrs: [clusterCidr, serviceCidr],
    });
    for (const { object } of state.list('services/')) {
      this.#zone.putService(object as unknown as DnsService);
    }
    for (const { object } of state.list('endpointslices/')) {
      this.#zone.putSlice(object as unknown as DnsSlice);
    }
  }

  #changed(keys: readonly string[]): void {
    if (keys.includes(NETWORK_KEY)) {
      this.#loadAll();
      this.#loop.enqueue('serve');
      return;
    }
    for (const key of keys) {
      const [kind, namespace = '', name = ''] = key.split('/');
      if (kind === 'services') this.#serviceChanged(key, namespace, name);
      else if (kind === 'endpointslices') this.#sliceChanged(key, namespace, name);
    }
  }

  #serviceChanged(key: string, namespace: string, name: string): void {
    const document = this.#parts.state.get(key);
    if (document === undefined) this.#zone.removeService(namespace, name);
    else this.#zone.putService(document.object as unknown as DnsService);
  }

  #sliceChanged(key: string, namespace: string, name: string): void {
    const document = this.#parts.state.get(key);
    if (document === undefined) this.#zone.removeSlice(namespace, name);
    else this.#zone.putSlice(document.object as unknown as DnsSlice);
  }

  async #serve(): Promise<undefined> {
    const wanted = this.#network?.dnsAddress;
    if (this.#server !== undefined && this.#server.address !== wanted) {
      await this.#server.server.stop();
      this.#server = undefined;
    }
    await this.#address.ensure(wanted);
    if (wanted === undefined || this.#server !== undefined) return undefined;
    const server = new DnsServer({
      responder: new Responder({
        zone: () => this.#zone,
        upstreams: { resolve: async () => undefined },
        random: this.#parts.random,
      }),
      address: wanted,
      port: this.#parts.port ?? DNS_PORT,
      log: this.#parts.log,
    });
    await server.start();
    this.#server = { address: wanted, server };
    this.#parts.log.info('serving names', { address: wanted });
    return undefined;
  }
}

/** Takes the DNS address of an agent off this node. */
export async function purgeDns(agentId: string): Promise<void> {
  await new DnsAddress(agentId).ensure(undefined);
}
