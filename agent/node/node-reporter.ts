import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import { formatTime } from '../../shared/meta/time.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import type { NodeStatus } from '../../shared/schema/kubernetes-types.ts';
import type { LiveFigures, MachineFacts } from '../host/machine.ts';
import type { Outbox } from '../link/outbox.ts';
import type { Runtime, RuntimeInfo } from '../runtime/runtime.ts';
import { type Inventory, inventoryAnnotations } from './inventory.ts';
import { goArchitecture, nodeStatus } from './node-status.ts';
import { pressureOf } from './pressure.ts';

export interface NodeReporterParts {
  nodeName: string;
  hostname: string;
  kubeletVersion: string;
  /** process.arch. */
  architecture: string;
  clock: Clock;
  outbox: Outbox;
  runtime: Runtime;
  runtimeInfo: RuntimeInfo;
  machine: MachineFacts;
  liveFigures: () => Promise<LiveFigures>;
  nodeIp: () => string;
  podCidr: () => string | undefined;
  /** What the node's network has to say about itself (network.skerry.dev/…). */
  networkAnnotations?: () => Record<string, string>;
}

/** Tells the master what this node is, whenever that changed: at the start, when its network becomes ready, under pressure. */
export class NodeReporter {
  readonly #parts: NodeReporterParts;
  #images: { names: string[]; sizeBytes: number }[] = [];
  #inventory: Inventory | undefined;
  #reported: NodeStatus | undefined;
  #reportedNetwork: Record<string, string> = {};

  constructor(parts: NodeReporterParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    await this.refreshImages();
  }

  /** The hardware became known. */
  async setInventory(inventory: Inventory): Promise<void> {
    this.#inventory = inventory;
    this.#reported = undefined;
    await this.refresh();
  }

  /** After pulls and at the start: the list of images costs a call to the engine. */
  async refreshImages(): Promise<void> {
    this.#images = await this.#parts.runtime.listImages();
    await this.refresh();
  }

  /** Cheap enough for every heartbeat; says something only when it differs from what was said last. */
  async refresh(): Promise<void> {
    const { clock, machine, runtimeInfo, hostname, kubeletVersion } = this.#parts;
    const status = nodeStatus(
      {
        machine,
        runtime: runtimeInfo,
        hostname,
        nodeIp: this.#parts.nodeIp(),
        architecture: goArchitecture(this.#parts.architecture),
        kubeletVersion,
        networkReady: this.#parts.podCidr() !== undefined,
        pressure: pressureOf(await this.#parts.liveFigures()),
        images: this.#images,
      },
      this.#reported,
      formatTime(clock.nowMs()),
    );
    const network = this.#parts.networkAnnotations?.() ?? {};
    if (
      isDeepStrictEqual(status, this.#reported) &&
      isDeepStrictEqual(network, this.#reportedNetwork)
    ) {
      return;
    }
    this.#reported = status;
    this.#reportedNetwork = network;
    const body = {
      status: status as unknown as JsonObject,
      annotations: {
        ...(this.#inventory === undefined ? {} : inventoryAnnotations(this.#inventory)),
        ...network,
      },
    };
    this.#parts.outbox.put({ key: `nodes//${this.#parts.nodeName}`, body });
  }
}
