import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../../../shared/logger.ts';
import type { Clock } from '../../../shared/reconcile/clock.ts';
import { ReconcileLoop } from '../../../shared/reconcile/reconcile-loop.ts';
import type { Underway } from '../../../shared/reconcile/underway.ts';
import {
  CLUSTER_NETWORK_KEY,
  type ClusterNetworkDocument,
  PEER_PREFIX,
  type PeerDocument,
} from '../../../shared/wire/network-documents.ts';
import { lastLineOf, type RunCommand, runCommand } from '../../host/command.ts';
import { linkExists } from '../../host/kernel-routes.ts';
import { localNetworkVersion } from '../../host/network-version.ts';
import type { AgentState } from '../../state/agent-state.ts';
import { linkPrefix } from '../veth.ts';
import {
  type OwnMarks,
  ROUTE_PROTOCOL,
  readKernelNetwork,
  readOwnRoutes,
} from './kernel-network.ts';
import { networkChange } from './network-change.ts';
import { peerAnnotations } from './peer-annotations.ts';
import { type NetworkPlan, planPeers } from './peer-plan.ts';
import { vxlanLink } from './vxlan.ts';

export interface PeerRoutesParts {
  agentId: string;
  nodeName: string;
  /** Undefined until the device has joined. */
  clusterId: () => string | undefined;
  state: AgentState;
  nodeIp: () => string;
  podCidr: () => string | undefined;
  clock: Clock;
  log: Logger;
  /** The answers of `annotations` or `podMtuBytes` have changed. */
  onChange?: () => void;
  run?: RunCommand;
}

/** The loop has one key: all of it is read and changed together. */
const ALL = 'routes';
/** Of numbers for route metrics, above those that people and network programs use. */
const FIRST_METRIC = 0x1000_0000;

/**
 * The way to the pods of other nodes, made from the saved state alone: the last known peers are reached without a master. The kernel is read each time
 * and never remembered; what differs is changed in one batch. Of the machine's it touches only routes that carry the protocol number and the agent's
 * metric, and the link that has the agent's name. Nothing polls: it looks when the saved state changes and when `beat` finds the machine changed.
 */
export class PeerRoutes {
  readonly #parts: PeerRoutesParts;
  readonly #run: RunCommand;
  readonly #own: OwnMarks;
  readonly #loop: ReconcileLoop;
  #unsubscribe = () => {};
  #onSynced = () => {};
  #seen = '';
  #plan: Pick<NetworkPlan, 'modes' | 'podMtuBytes'> = { modes: new Map(), podMtuBytes: 1500 };

  constructor(parts: PeerRoutesParts) {
    this.#parts = parts;
    this.#run = parts.run ?? runCommand;
    this.#own = ownMarks(parts.agentId);
    this.#loop = new ReconcileLoop({
      name: 'routes',
      clock: parts.clock,
      concurrency: 1,
      backoffMs: { first: 1000, max: 300_000 },
      reconcile: async () => {
        try {
          await this.#sync();
        } finally {
          this.#onSynced();
        }
        return undefined;
      },
      onError: (_key, error, attempt) => {
        const fields = { attempt, error: error instanceof Error ? error.message : String(error) };
        parts.log.warn('the routes to other nodes are not complete', fields);
      },
    });
  }

  /** Resolves when the saved state was brought to the kernel once, or that failed and is being repeated: `podMtuBytes` holds from then on. */
  async start(): Promise<void> {
    this.#unsubscribe = this.#parts.state.subscribe((keys) => {
      if (keys.some((key) => this.#concerns(key))) this.#loop.enqueue(ALL);
    });
    const synced = new Promise<void>((resolve) => {
      this.#onSynced = resolve;
    });
    this.#loop.enqueue(ALL);
    this.#loop.start();
    await synced;
  }

  /** Routes stay: pods go on without an agent. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#loop.stop();
  }

  get underway(): Underway | undefined {
    return this.#loop.underway;
  }

  /** With each heartbeat and at each connection: follows a new address of this machine, repairs what was taken away. No process unless it has changed. */
  beat(): void {
    if (this.#version() !== this.#seen) this.#loop.enqueue(ALL);
  }

  /** Now and then: reads everything anew, for what `beat` cannot see (forwarding entries, MTUs). */
  resync(): void {
    this.#loop.enqueue(ALL);
  }

  /** For new pods: the largest packet that reaches every peer whole. */
  podMtuBytes(): number {
    return this.#plan.podMtuBytes;
  }

  /** For the Node: `network.skerry.dev/peer-<name>`: `host-gw`, `vxlan`, or `local` for a node on this machine. */
  annotations(): Record<string, string> {
    return peerAnnotations(this.#plan.modes);
  }

  async #sync(): Promise<void> {
    const { clusterId, state, nodeName, podCidr, nodeIp, log } = this.#parts;
    const cluster = clusterId();
    if (cluster === undefined) return;
    const before = this.#version();
    const kernel = await readKernelNetwork(this.#run, this.#own);
    const peers = state.list(PEER_PREFIX).map(({ object }) => object as unknown as PeerDocument);
    const network = state.get(CLUSTER_NETWORK_KEY)?.object;
    const plan = planPeers(
      {
        name: nodeName,
        clusterId: cluster,
        vxlanLink: this.#own.vxlanLink,
        internalIp: nodeIp(),
        podCidr: podCidr(),
        links: kernel.links,
      },
      peers,
      network as unknown as ClusterNetworkDocument | undefined,
    );
    const change = networkChange(plan, kernel, this.#own);
    this.#tell(plan);
    const changes = change.ip.length + change.bridge.length;
    this.#seen = before;
    if (changes === 0) return;
    try {
      const failures = [
        await this.#apply('ip', change.ip),
        await this.#apply('bridge', change.bridge),
      ].filter((failure) => failure !== undefined);
      if (failures.length > 0) throw new Error(failures.join('; '));
      log.info('routes to other nodes changed', { peers: peers.length, changes });
    } finally {
      // Also of a failure: the loop repeats it in its own time.
      this.#seen = this.#version();
    }
  }

  /** Goes on behind a line that fails: one unreachable peer does not keep the others waiting. Answers what failed first. */
  async #apply(file: 'ip' | 'bridge', lines: readonly string[]): Promise<string | undefined> {
    if (lines.length === 0) return undefined;
    const input = `${lines.join('\n')}\n`;
    const result = await this.#run(file, ['-force', '-batch', '-'], { input, allowFailure: true });
    if (result.exitCode === 0) return undefined;
    const failure = result.stderr.split('\n').find((line) => line.trim() !== '');
    return `${file}: ${failure ?? `ended with code ${result.exitCode}`}`;
  }

  #tell({ modes, podMtuBytes }: NetworkPlan): void {
    const next = { modes, podMtuBytes };
    if (isDeepStrictEqual(next, this.#plan)) return;
    this.#plan = next;
    this.#parts.onChange?.();
  }

  #concerns(key: string): boolean {
    return (
      key.startsWith(PEER_PREFIX) ||
      key === CLUSTER_NETWORK_KEY ||
      key === `nodes//${this.#parts.nodeName}`
    );
  }

  #version(): string {
    const { clusterId, nodeIp } = this.#parts;
    return `${clusterId()} ${nodeIp()}\n${localNetworkVersion(linkPrefix(this.#parts.agentId))}`;
  }
}

/** Removes the VXLAN link and every route of an agent, running or not; may be repeated. Neighbours and forwarding entries go with the link. */
export async function purgeRoutes(agentId: string, run: RunCommand = runCommand): Promise<void> {
  const own = ownMarks(agentId);
  const lines = (await readOwnRoutes(run, own.routeMetric)).map(
    ({ destination }) =>
      `route del ${destination} proto ${ROUTE_PROTOCOL} metric ${own.routeMetric}`,
  );
  if (linkExists(own.vxlanLink)) lines.push(`link delete ${own.vxlanLink}`);
  if (lines.length === 0) return;
  const input = `${lines.join('\n')}\n`;
  const result = await run('ip', ['-force', '-batch', '-'], { input, allowFailure: true });
  if (result.exitCode === 0) return;
  const [route] = await readOwnRoutes(run, own.routeMetric);
  if (route !== undefined || linkExists(own.vxlanLink)) {
    throw new Error(`routes of the agent are left: ${lastLineOf(result.stderr)}`);
  }
}

function ownMarks(agentId: string): OwnMarks {
  const hash = createHash('sha256').update(agentId).digest().readUIntBE(0, 3);
  return {
    vxlanLink: vxlanLink(agentId),
    podLinkPrefix: linkPrefix(agentId),
    routeMetric: FIRST_METRIC + hash,
  };
}
