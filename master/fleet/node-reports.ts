import type { JsonObject, JsonValue } from '../../shared/meta/kube-object.ts';
import { formatTime } from '../../shared/meta/time.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { NODES } from '../../shared/resources/node.ts';
import type { Node, NodeCondition, NodeStatus } from '../../shared/schema/kubernetes-types.ts';
import { NETWORK_ANNOTATION_PREFIX } from '../../shared/wire/network-documents.ts';
import type { Registry } from '../store/registry.ts';
import { mergeConditions } from './merge-conditions.ts';
import { RefusedReport } from './report-error.ts';

/** Label keys that a node may set about itself besides the well-known ones. */
const OWN_LABEL_PREFIX = 'skerry.dev/';
/** Annotation keys that a node may set about itself; the keys that it enrolled with are not among them. */
const OWN_ANNOTATION_PREFIX = 'hardware.skerry.dev/';

/** What a node says about itself outside its status. Of its network it says everything each time: what it leaves out is gone. */
interface OwnMetadata {
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** Reports `nodes//<name>`: `{ status, labels?, annotations? }`. A Node is made by the enrolment: a report does not bring back one that was deleted. */
export class NodeReports {
  readonly #registry: Registry;
  readonly #clock: Clock;
  /** The last report of each node, for when the Node object was marked Unknown meanwhile. */
  readonly #last = new Map<string, NodeStatus>();

  constructor(parts: { registry: Registry; clock: Clock }) {
    this.#registry = parts.registry;
    this.#clock = parts.clock;
  }

  /** Keeps the node's labels, annotations and status. Throws RefusedReport, ApiError. */
  async take(node: string, name: string, body: JsonObject): Promise<void> {
    if (name !== node) throw new RefusedReport('a node reports about itself only');
    const { status, labels, annotations } = body;
    if (typeof status !== 'object' || status === null || Array.isArray(status)) {
      throw new RefusedReport('the status is missing');
    }
    await this.#writeMetadata(node, {
      labels: {
        ...kubeletLabels(node, status as NodeStatus),
        ...entriesBelow(OWN_LABEL_PREFIX, labels),
      },
      annotations: {
        ...entriesBelow(OWN_ANNOTATION_PREFIX, annotations),
        ...entriesBelow(NETWORK_ANNOTATION_PREFIX, annotations),
      },
    });
    await this.#writeStatus(node, status as NodeStatus);
    this.#last.set(node, status as NodeStatus);
  }

  /**
   * The node lives: what it reported last holds again, if it was Unknown. False: it has to tell everything once more, because it was
   * Unknown, and its pods not ready with it, or because the master was restarted or the Node was made anew.
   */
  async revive(node: string): Promise<boolean> {
    const ready = this.#find(node)?.status?.conditions?.find(({ type }) => type === 'Ready');
    if (ready && ready.status !== 'Unknown') return true;
    const last = this.#last.get(node);
    if (last) await this.#writeStatus(node, last);
    return false;
  }

  forget(node: string): void {
    this.#last.delete(node);
  }

  async #writeMetadata(name: string, own: OwnMetadata): Promise<void> {
    const node = this.#find(name);
    if (!node) throw new RefusedReport('the node was deleted');
    const { labels, annotations } = node.metadata;
    const stale = Object.keys(entriesBelow(NETWORK_ANNOTATION_PREFIX, annotations)).filter(
      (key) => !(key in own.annotations),
    );
    if (holds(labels, own.labels) && holds(annotations, own.annotations) && stale.length === 0) {
      return;
    }
    await this.#registry.update(NODES, { namespace: '', name }, (current) => ({
      ...current,
      metadata: {
        ...current.metadata,
        labels: { ...current.metadata.labels, ...own.labels },
        annotations: {
          ...without(current.metadata.annotations, stale),
          ...own.annotations,
        },
      },
    }));
  }

  async #writeStatus(name: string, status: NodeStatus): Promise<void> {
    const nowText = formatTime(this.#clock.nowMs());
    const change = (current: Node) => ({
      ...current,
      status: nextStatus(current.status, status, nowText),
    });
    await this.#registry.update(NODES, { namespace: '', name }, change, { subresource: 'status' });
  }

  #find(name: string): Node | undefined {
    return this.#registry.find(NODES, { namespace: '', name });
  }
}

/** A condition that says what it said before keeps its times, so that an unchanged status is not written. */
function nextStatus(current: NodeStatus, reported: NodeStatus, nowText: string): NodeStatus {
  const merged = mergeConditions(current.conditions, reported.conditions, nowText);
  const conditions = merged.map((condition) => {
    const before = current.conditions?.find(({ type }) => type === condition.type);
    const isSame =
      before?.status === condition.status &&
      before.reason === condition.reason &&
      before.message === condition.message;
    return isSame ? before : withHeartbeat(condition, nowText);
  });
  return { ...reported, conditions };
}

/** Of the master's clock: a device may have none. */
function withHeartbeat(condition: NodeCondition, nowText: string): NodeCondition {
  return { ...condition, lastHeartbeatTime: nowText };
}

function holds(present: Record<string, string> | undefined, wanted: Record<string, string>) {
  return Object.entries(wanted).every(([key, value]) => present?.[key] === value);
}

function without(
  annotations: Record<string, string> | undefined,
  stale: readonly string[],
): Record<string, string> {
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !stale.includes(key));
  return Object.fromEntries(kept);
}

/** The labels that the kubelet gives its node. */
function kubeletLabels(name: string, { nodeInfo }: NodeStatus): Record<string, string> {
  const arch = nodeInfo?.architecture ?? '';
  const os = nodeInfo?.operatingSystem ?? 'linux';
  return {
    'beta.kubernetes.io/arch': arch,
    'beta.kubernetes.io/os': os,
    'kubernetes.io/arch': arch,
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': os,
  };
}

/** Of what a node says about itself, the entries that it may set. */
function entriesBelow(
  prefix: string,
  reported: JsonValue | Record<string, string> | undefined,
): Record<string, string> {
  if (typeof reported !== 'object' || reported === null || Array.isArray(reported)) return {};
  const entries = Object.entries(reported).filter(
    (entry): entry is [string, string] =>
      entry[0].startsWith(prefix) && typeof entry[1] === 'string',
  );
  return Object.fromEntries(entries);
}
