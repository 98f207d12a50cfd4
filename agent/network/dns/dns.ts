import { randomInt } from 'node:crypto';
import type { Logger } from '../../../shared/logger.ts';
import type { Clock } from '../../../shared/reconcile/clock.ts';
import { ReconcileLoop } from '../../../shared/reconcile/reconcile-loop.ts';
import type { Underway } from '../../../shared/reconcile/underway.ts';
import {
  CLUSTER_NETWORK_KEY,
  type ClusterNetworkDocument,
  ENDPOINT_SLICE_PREFIX,
  type EndpointSliceDocument,
  SERVICE_PREFIX,
  type ServiceDocument,
} from '../../../shared/wire/network-documents.ts';
import { exchangeDatagrams, exchangeOverStream } from '../../host/exchange.ts';
import { readSmallFile } from '../../host/small-files.ts';
import { watchPath } from '../../host/watched-file.ts';
import type { LocalPod } from '../../pods/collaborators.ts';
import type { AgentState } from '../../state/agent-state.ts';
import { DnsAddress } from './dns-address.ts';
import { Forwarder } from './forwarder.ts';
import { nameServers } from './name-servers.ts';
import { PodsOfSlices, withLocalPods } from './pods-of-slices.ts';
import { Responder } from './responder.ts';
import { DnsServer } from './server.ts';
import { Zone } from './zone.ts';

export interface ClusterDnsParts {
  agentId: string;
  nodeName: string;
  state: Pick<AgentState, 'get' | 'list' | 'subscribe'>;
  clock: Clock;
  /** In [0, 1): orders the addresses of an answer. */
  random: () => number;
  log: Logger;
  /** What the node knows of its own pods; is asked of no others. Nothing if absent. */
  localPod?: (podUid: string) => LocalPod | undefined;
  /** 53 if absent. */
  port?: number;
  /** Names the servers that know everything else; `/etc/resolv.conf` if absent. */
  resolverFile?: string;
}

/** Until the saved state says another. */
const USUAL_DOMAIN = 'cluster.local';
const DNS_PORT = 53;
const RESOLVER_FILE = '/etc/resolv.conf';

/**
 * The DNS server of this node: answers at the cluster's DNS address from what the node has saved, with or without a master. Starts
 * serving as soon as the saved state says where, and follows every change of it.
 */
export class ClusterDns {
  readonly #parts: ClusterDnsParts;
  readonly #address: DnsAddress;
  readonly #loop: ReconcileLoop;
  readonly #forwarder: Forwarder;
  readonly #pods = new PodsOfSlices();
  #zone = new Zone({ domain: USUAL_DOMAIN, address: '', cidrs: [] });
  #network: ClusterNetworkDocument | undefined;
  #server: { address: string; server: DnsServer } | undefined;
  #unsubscribe: (() => void) | undefined;
  #unwatch: (() => void) | undefined;
  #servers = '';

  constructor(parts: ClusterDnsParts) {
    this.#parts = parts;
    this.#address = new DnsAddress(parts.agentId);
    this.#forwarder = new Forwarder({
      clock: parts.clock,
      randomId: () => randomInt(65_536),
      datagrams: exchangeDatagrams,
      streams: exchangeOverStream,
      log: parts.log,
    });
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

  /** Where this server is reached; undefined until the saved state says so. */
  get address(): string | undefined {
    return this.#network?.dnsAddress;
  }

  /** The cluster's domain; the usual one until the saved state says which. */
  get domain(): string {
    return this.#network?.clusterDomain ?? USUAL_DOMAIN;
  }

  /** Serving begins in the background; a failure to bind is logged and tried again. */
  start(): void {
    this.#unsubscribe = this.#parts.state.subscribe((keys) => this.#changed(keys));
    this.#unwatch = watchPath(this.#parts.resolverFile ?? RESOLVER_FILE, () => this.#loadServers());
    this.#loadAll();
    this.#loop.start();
    this.#loop.enqueue('serve');
  }

  /** The address stays where it is: the next agent goes on with it. */
  async stop(): Promise<void> {
    this.#unsubscribe?.();
    this.#unwatch?.();
    await this.#loop.stop();
    await this.#server?.server.stop();
    this.#server = undefined;
  }

  get underway(): Underway | undefined {
    return this.#loop.underway;
  }

  /** Puts the address back if somebody took it away; for a look now and then. */
  resync(): void {
    this.#loop.enqueue('serve');
  }

  /** A pod of this node became ready, ended, or was given an address: its names follow at once. */
  podChanged(podUid: string): void {
    for (const key of this.#pods.slicesOf(podUid)) this.#follow(key);
  }

  #loadAll(): void {
    const { state } = this.#parts;
    this.#network = state.get(CLUSTER_NETWORK_KEY)?.object as ClusterNetworkDocument | undefined;
    this.#loadServers();
    if (this.#network === undefined) return;
    const { clusterDomain, dnsAddress, clusterCidr, serviceCidr } = this.#network;
    this.#zone = new Zone({
      domain: clusterDomain,
      address: dnsAddress,
      cidrs: [clusterCidr, serviceCidr],
    });
    for (const { key } of state.list(SERVICE_PREFIX)) this.#follow(key);
    for (const { key } of state.list(ENDPOINT_SLICE_PREFIX)) this.#follow(key);
  }

  #loadServers(): void {
    const text = readSmallFile(this.#parts.resolverFile ?? RESOLVER_FILE) ?? '';
    const servers = nameServers(text, this.#network?.dnsAddress);
    if (servers.join() === this.#servers) return;
    this.#servers = servers.join();
    this.#forwarder.setServers(servers.map((address) => ({ address, port: DNS_PORT })));
    this.#parts.log.info('names outside the cluster are asked of', { servers });
  }

  #changed(keys: readonly string[]): void {
    if (keys.includes(CLUSTER_NETWORK_KEY)) {
      this.#loadAll();
      this.#loop.enqueue('serve');
      return;
    }
    for (const key of keys) this.#follow(key);
  }

  /** One document that cannot be read must not take the names of the others away. */
  #follow(key: string): void {
    try {
      const [, namespace = '', name = ''] = key.split('/');
      if (key.startsWith(SERVICE_PREFIX)) this.#followService(key, namespace, name);
      else if (key.startsWith(ENDPOINT_SLICE_PREFIX)) this.#followSlice(key, namespace, name);
    } catch (error) {
      this.#parts.log.warn('a document gives no names', { key, error: String(error) });
    }
  }

  #followService(key: string, namespace: string, name: string): void {
    const document = this.#parts.state.get(key);
    if (document === undefined) this.#zone.removeService(namespace, name);
    else this.#zone.putService(document.object as unknown as ServiceDocument);
  }

  #followSlice(key: string, namespace: string, name: string): void {
    const { state, nodeName, localPod = () => undefined } = this.#parts;
    const slice = state.get(key)?.object as unknown as EndpointSliceDocument | undefined;
    this.#pods.set(key, slice);
    if (slice === undefined) this.#zone.removeSlice(namespace, name);
    else this.#zone.putSlice(withLocalPods(slice, nodeName, localPod));
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
        upstreams: this.#forwarder,
        random: this.#parts.random,
      }),
      address: wanted,
      port: this.#parts.port ?? DNS_PORT,
      clock: this.#parts.clock,
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
