import { createHash } from 'node:crypto';
import type { Logger } from '../../../shared/logger.ts';
import { cidrContains, parseCidr, parseIpv4 } from '../../../shared/meta/cidr.ts';
import type { Clock } from '../../../shared/reconcile/clock.ts';
import { type RunCommand, runCommand } from '../../host/command.ts';
import { type Relay, relayTcp, type SocketAddress } from '../../host/tcp-relay.ts';
import { relayUdp } from '../../host/udp-relay.ts';
import type { ProxyBackend } from './proxy-backend.ts';
import {
  admittedSources,
  type Endpoint,
  externalEndpoints,
  internalEndpoints,
  type NodePlan,
  type PortPlan,
  type ProxyPlan,
  type ServicePlan,
} from './proxy-plan.ts';

/** What only the kernel can do; the preflight says it when this backend is chosen. */
export const USERSPACE_LACKS = [
  'pods see the address of their node instead of the client’s',
  'what pods send out of the cluster keeps their own address (no masquerade)',
  'hostPort',
  'SCTP',
  'an address whose policy is Local refuses without local endpoints, where it should stay silent',
];

const MOST_CLIENTS = 65_535;

/**
 * Services without nftables: the addresses of services are on lo, a port is open for each that has endpoints, and every connection
 * passes through this process. Where nobody listens the kernel itself refuses. A port that another program holds is reported and left
 * out until the next `verify`.
 */
export class UserspaceBackend implements ProxyBackend {
  readonly name = 'userspace';
  readonly #label: string;
  readonly #run: RunCommand;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #random: () => number;
  readonly #listeners = new Map<string, Listener>();
  readonly #affinity = new Map<string, ClientTable>();
  #addresses: ReadonlySet<string> | undefined;
  #failed = false;

  /** `random` answers numbers in [0, 1). */
  constructor(parts: {
    agentId: string;
    clock: Clock;
    log: Logger;
    random: () => number;
    run?: RunCommand;
  }) {
    // At most 15 characters (IFNAMSIZ), beginning with the device.
    this.#label = `lo:sk${createHash('sha256').update(parts.agentId).digest('hex').slice(0, 8)}`;
    this.#run = parts.run ?? runCommand;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#random = parts.random;
  }

  async apply(plan: ProxyPlan): Promise<void> {
    const wanted = wantedPorts(plan);
    const addresses = wantedAddresses(plan);
    await this.#addAddresses(addresses);
    for (const [key, listener] of this.#listeners) {
      if (wanted.has(key)) continue;
      this.#listeners.delete(key);
      await listener.relay.close();
    }
    this.#failed = false;
    for (const [key, port] of wanted) await this.#listen(key, port);
    for (const key of this.#affinity.keys())
      if (!plan.services.has(key)) this.#affinity.delete(key);
    await this.#keepAddresses(addresses);
    this.#addresses = addresses;
  }

  async verify(): Promise<boolean> {
    const wanted = this.#addresses;
    if (wanted === undefined) return false;
    const there = new Set(await this.#ownAddresses());
    const isWhole = [...wanted].every((address) => there.has(address));
    if (!isWhole) {
      this.#log.warn('addresses of services were removed by somebody else', {});
      this.#addresses = undefined;
    }
    return isWhole && !this.#failed;
  }

  async purge(): Promise<void> {
    for (const { relay } of this.#listeners.values()) await relay.close();
    this.#listeners.clear();
    this.#affinity.clear();
    await this.#keepAddresses(new Set());
    this.#addresses = undefined;
  }

  async #listen(key: string, wanted: WantedPort): Promise<void> {
    const known = this.#listeners.get(key);
    if (known !== undefined) {
      if (known.wanted.service === wanted.service) return;
      known.wanted = wanted;
      const left = new Set(wanted.port.cluster.map(textOf));
      known.forget((endpoint) => !left.has(textOf(endpoint)));
      return;
    }
    const at = { address: wanted.address ?? '0.0.0.0', port: wanted.number };
    const listener: Listener = { wanted, relay: { close: async () => {} }, forget: () => {} };
    try {
      if (wanted.port.protocol === 'UDP') {
        const relay = await relayUdp(at, (client) => this.#choose(listener.wanted, client)[0]);
        listener.forget = (isGone) => relay.forget(isGone);
        listener.relay = relay;
      } else {
        listener.relay = await relayTcp(at, (client) => this.#choose(listener.wanted, client));
      }
      this.#listeners.set(key, listener);
    } catch (error) {
      this.#failed = true;
      this.#log.warn('a port of a service could not be opened', {
        service: wanted.service.key,
        at: `${at.address}:${at.port}`,
        error: String(error),
      });
    }
  }

  /** All endpoints that may serve this client, the one to try first in front. */
  #choose(wanted: WantedPort, client: string): readonly Endpoint[] {
    const { service, port } = wanted;
    const endpoints = endpointsFor(wanted, client);
    const start = Math.floor(this.#random() * endpoints.length);
    const shuffled = [...endpoints.slice(start), ...endpoints.slice(0, start)];
    if (service.affinitySeconds === undefined) return shuffled;
    const table = this.#affinity.get(service.key) ?? new ClientTable();
    this.#affinity.set(service.key, table);
    const id = `${port.name}/${port.protocol} ${client}`;
    const nowMs = this.#clock.monotonicMs();
    const before = table.get(id, nowMs - service.affinitySeconds * 1_000);
    const kept = shuffled.find((endpoint) => textOf(endpoint) === before) ?? shuffled[0];
    if (kept === undefined) return shuffled;
    table.set(id, textOf(kept), nowMs);
    return [kept, ...shuffled.filter((endpoint) => endpoint !== kept)];
  }

  async #addAddresses(wanted: ReadonlySet<string>): Promise<void> {
    if (this.#addresses !== undefined && [...wanted].every((one) => this.#addresses?.has(one)))
      return;
    const there = new Set(await this.#ownAddresses());
    // Scope host: never the source of what the machine itself sends.
    await this.#ip(
      [...wanted]
        .filter((address) => !there.has(address))
        .map((address) => `addr add ${address}/32 dev lo label ${this.#label} scope host`),
    );
  }

  async #keepAddresses(wanted: ReadonlySet<string>): Promise<void> {
    const known = this.#addresses;
    if (known !== undefined && [...known].every((address) => wanted.has(address))) return;
    const there = await this.#ownAddresses();
    await this.#ip(
      there
        .filter((address) => !wanted.has(address))
        .map((address) => `addr del ${address}/32 dev lo label ${this.#label}`),
    );
  }

  async #ownAddresses(): Promise<string[]> {
    const { stdout } = await this.#run('ip', ['-o', '-4', 'addr', 'show', 'dev', 'lo']);
    const lines = stdout.split('\n').filter((line) => line.includes(` ${this.#label}\\`));
    return lines.flatMap((line) => / inet ([\d.]+)/.exec(line)?.[1] ?? []);
  }

  async #ip(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    await this.#run('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });
  }
}

interface Listener {
  wanted: WantedPort;
  relay: Relay;
  /** UDP flows stick to their endpoint until told otherwise. */
  forget(isGone: (endpoint: SocketAddress) => boolean): void;
}

interface WantedPort {
  service: ServicePlan;
  port: PortPlan;
  node: NodePlan;
  /** undefined: every address of the node. */
  address: string | undefined;
  number: number;
  isExternal: boolean;
}

/** The ports to open: those that have an endpoint. */
function wantedPorts({ services, node }: ProxyPlan): Map<string, WantedPort> {
  const wanted = new Map<string, WantedPort>();
  for (const service of services.values()) {
    for (const port of service.ports) {
      if (port.protocol === 'SCTP') continue;
      const add = (address: string | undefined, number: number, isExternal: boolean) => {
        const want = { service, port, node, address, number, isExternal };
        const endpoints = isExternal ? port.cluster : internalEndpoints(service, port);
        if (endpoints.length === 0) return;
        wanted.set(`${address ?? '*'}:${number}/${port.protocol}`, want);
      };
      for (const address of port.clusterIps) add(address, port.port, false);
      for (const address of port.externalIps) add(address, port.port, true);
      if (port.nodePort !== undefined) add(undefined, port.nodePort, true);
    }
  }
  return wanted;
}

function wantedAddresses({ services }: ProxyPlan): Set<string> {
  const addresses = [...services.values()].flatMap(({ ports }) =>
    ports.flatMap(({ clusterIps, externalIps }) => [...clusterIps, ...externalIps]),
  );
  return new Set(addresses);
}

function endpointsFor(wanted: WantedPort, client: string): readonly Endpoint[] {
  const { service, port, isExternal } = wanted;
  if (!isAdmitted(wanted, client)) return [];
  if (!isExternal) return internalEndpoints(service, port);
  return comesFromCluster(wanted, client) ? port.cluster : externalEndpoints(service, port);
}

function isAdmitted({ service, node, address }: WantedPort, client: string): boolean {
  const { guard } = service;
  if (guard === undefined || address === undefined || !guard.addresses.includes(address)) {
    return true;
  }
  const source = parseIpv4(client.replace(/^::ffff:/, ''));
  const ranges = admittedSources(guard, address, node.nodeIp);
  return ranges.some((range) => cidrContains(parseCidr(range), source));
}

function comesFromCluster({ node }: WantedPort, client: string): boolean {
  const address = client.replace(/^::ffff:/, '');
  if (address === node.nodeIp) return true;
  return (
    node.clusterCidr !== undefined && cidrContains(parseCidr(node.clusterCidr), parseIpv4(address))
  );
}

function textOf({ address, port }: Endpoint): string {
  return `${address}:${port}`;
}

/** Who served each client last; the client that was away longest is forgotten first. */
class ClientTable {
  readonly #entries = new Map<string, { endpoint: string; atMs: number }>();

  get(client: string, notBeforeMs: number): string | undefined {
    const entry = this.#entries.get(client);
    return entry !== undefined && entry.atMs >= notBeforeMs ? entry.endpoint : undefined;
  }

  set(client: string, endpoint: string, atMs: number): void {
    this.#entries.delete(client);
    this.#entries.set(client, { endpoint, atMs });
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > MOST_CLIENTS && oldest !== undefined) this.#entries.delete(oldest);
  }
}
