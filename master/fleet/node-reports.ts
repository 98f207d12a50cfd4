import type { JsonObject, JsonValue } from '../../shared/meta/kube-object.ts';
import { formatTime } from '../../shared/meta/time.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { NODES } from '../../shared/resources/node.ts';
import type { Node, NodeCondition, NodeStatus } from '../../shared/schema/kubernetes-types.ts';
import type { Registry } from '../store/registry.ts';
import { mergeConditions } from './merge-conditions.ts';
import { RefusedReport } from './report-error.ts';

/** Label keys that a node may set about itself besides the well-known ones. */
const OWN_LABEL_PREFIX = 'skerry.dev/';

/** Reports `nodes//<name>`: `{ status, labels? }`. */
export class NodeReports {
  readonly #registry: Registry;
  readonly #clock: Clock;
  /** The last report of each node, for when the Node object was marked Unknown meanwhile. */
  readonly #last = new Map<string, NodeStatus>();

  constructor(parts: { registry: Registry; clock: Clock }) {
    this.#registry = parts.registry;
    this.#clock = parts.clock;
  }

  /** Registers the node at its first report, then keeps its labels and status. Throws RefusedReport, ApiError. */
  async take(node: string, name: string, body: JsonObject): Promise<void> {
    if (name !== node) throw new RefusedReport('a node reports about itself only');
    const { status, labels } = body;
    if (typeof status !== 'object' || status === null || Array.isArray(status)) {
      throw new RefusedReport('the status is missing');
    }
    await this.#register(node, ownLabels(node, status as NodeStatus, labels));
    await this.#writeStatus(node, status as NodeStatus);
    this.#last.set(node, status as NodeStatus);
  }

  /**
   * The node lives: what it reported last holds again, if it was Unknown. False: nothing that it reported is known here, because
   * the master was restarted or the Node was made anew.
   */
  async revive(node: string): Promise<boolean> {
    const ready = this.#find(node)?.status?.conditions?.find(({ type }) => type === 'Ready');
    if (ready && ready.status !== 'Unknown') return true;
    const last = this.#last.get(node);
    if (!last) return false;
    await this.#writeStatus(node, last);
    return true;
  }

  forget(node: string): void {
    this.#last.delete(node);
  }

  async #register(name: string, labels: Record<string, string>): Promise<void> {
    const node = this.#find(name);
    if (!node) {
      const metadata = { name, labels, uid: '', resourceVersion: '', creationTimestamp: '' };
      const created: Node = { apiVersion: 'v1', kind: 'Node', metadata, spec: {}, status: {} };
      await this.#registry.create(NODES, created);
      return;
    }
    if (Object.entries(labels).every(([key, value]) => node.metadata.labels?.[key] === value))
      return;
    await this.#registry.update(NODES, { namespace: '', name }, (current) => ({
      ...current,
      metadata: { ...current.metadata, labels: { ...current.metadata.labels, ...labels } },
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

/** The labels that the kubelet gives its node, and those of Skerry's own that the report names. */
function ownLabels(
  name: string,
  { nodeInfo }: NodeStatus,
  reported: JsonValue | undefined,
): Record<string, string> {
  const arch = nodeInfo?.architecture ?? '';
  const os = nodeInfo?.operatingSystem ?? 'linux';
  const labels: Record<string, string> = {
    'beta.kubernetes.io/arch': arch,
    'beta.kubernetes.io/os': os,
    'kubernetes.io/arch': arch,
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': os,
  };
  if (typeof reported !== 'object' || reported === null || Array.isArray(reported)) return labels;
  for (const [key, value] of Object.entries(reported)) {
    if (key.startsWith(OWN_LABEL_PREFIX) && typeof value === 'string') labels[key] = value;
  }
  return labels;
}
