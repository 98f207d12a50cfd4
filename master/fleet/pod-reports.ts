import { ApiError } from '../../shared/errors.ts';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import { formatTime } from '../../shared/meta/time.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { PODS } from '../../shared/resources/pod.ts';
import type { Pod, PodStatus } from '../../shared/schema/kubernetes-types.ts';
import type { Registry } from '../store/registry.ts';
import { mergeConditions } from './merge-conditions.ts';
import { RefusedReport } from './report-error.ts';

/** Reports `pods/<namespace>/<name>/<uid>`: `{ uid, status?, gone? }`. */
export class PodReports {
  readonly #registry: Registry;
  readonly #clock: Clock;

  constructor(parts: { registry: Registry; clock: Clock }) {
    this.#registry = parts.registry;
    this.#clock = parts.clock;
  }

  /**
   * Writes the status of a pod of this node, and removes the pod when it was deleted and is gone from the node. A pod that does
   * not exist any more needs no report. Throws RefusedReport, ApiError.
   */
  async take(
    node: string,
    { namespace, name, uid }: { namespace: string; name: string; uid: string },
    body: JsonObject,
  ): Promise<void> {
    if (body['uid'] !== uid) throw new RefusedReport('the uid is not the one of the key');
    const key = { namespace, name };
    const pod = this.#registry.find(PODS, key);
    if (pod?.metadata.uid !== uid) return;
    if (pod.spec.nodeName !== node) throw new RefusedReport('the pod is not on this node');
    await unlessReplaced(async () => {
      if (isObject(body['status'])) await this.#writeStatus(key, uid, body['status'] as PodStatus);
      if (body['gone'] === true && pod.metadata.deletionTimestamp !== undefined) {
        await this.#registry.delete(PODS, key, {
          gracePeriodSeconds: 0,
          preconditions: { uid },
        });
      }
    });
  }

  async #writeStatus(
    key: { namespace: string; name: string },
    uid: string,
    status: PodStatus,
  ): Promise<void> {
    const nowText = formatTime(this.#clock.nowMs());
    const change = (current: Pod) => ({
      ...current,
      status: nextStatus(current.status ?? {}, status, nowText),
    });
    await this.#registry.update(PODS, key, change, { subresource: 'status', uid });
  }
}

/** What the node says, but for what is the master's: the phase of a pod that has ended stays, and conditions of others do. */
function nextStatus(current: PodStatus, reported: PodStatus, nowText: string): PodStatus {
  const { nominatedNodeName, qosClass, phase, reason, message } = current;
  const isOver = phase === 'Succeeded' || phase === 'Failed';
  return {
    ...reported,
    ...(qosClass === undefined ? {} : { qosClass }),
    ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }),
    ...(isOver && reported.phase !== phase
      ? {
          phase,
          ...(reason === undefined ? {} : { reason }),
          ...(message === undefined ? {} : { message }),
        }
      : {}),
    conditions: mergeConditions(current.conditions, reported.conditions, nowText),
  };
}

/** The pod went, or another took its name, between the look and the write. */
async function unlessReplaced(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const isGone = error instanceof ApiError && error.reason === 'NotFound';
    const isOther = error instanceof ApiError && error.reason === 'Conflict';
    if (!isGone && !isOther) throw error;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
