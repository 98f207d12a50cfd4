import { findCondition } from '../../../shared/meta/condition.ts';
import { objectKey } from '../../../shared/meta/kube-object.ts';
import { LEASES } from '../../../shared/resources/lease.ts';
import { NODES } from '../../../shared/resources/node.ts';
import { PODS } from '../../../shared/resources/pod.ts';
import { type Controller, type ControllerParts, trigger } from '../controller.ts';
import { ignoreGone } from '../ignore-gone.ts';
import type { PodsByNode } from '../pods-by-node.ts';
import { LEASE_GRACE_MS, unknownConditions, withNodeNotReady } from './plan.ts';

const LEASE_NAMESPACE = 'kube-node-lease';

/**
 * Marks a node Unknown whose lease has not been renewed for 40 s by this master's monotonic clock: no other clock is trusted. A
 * master that just started waits as long for every node before it says so.
 */
export function nodeLifecycleController(parts: ControllerParts, pods: PodsByNode): Controller {
  const { registry, clock, events, log } = parts;
  const startedMs = clock.monotonicMs();
  const renewedMs = new Map<string, number>();
  return {
    name: 'node-lifecycle',
    triggers: [
      trigger(NODES, ({ object, removed }) => {
        if (removed) renewedMs.delete(object.metadata.name);
        return removed ? [] : [object.metadata.name];
      }),
      trigger(LEASES, ({ object, previous, removed }) => {
        const { namespace, name } = object.metadata;
        if (namespace !== LEASE_NAMESPACE || removed) return [];
        renewedMs.set(name, clock.monotonicMs());
        // A renewal moves the deadline, which the pending look finds; only the first one is news.
        return previous === undefined ? [name] : [];
      }),
    ],
    async reconcile(name) {
      const node = registry.find(NODES, { namespace: '', name });
      if (node === undefined) return undefined;
      const leftMs = (renewedMs.get(name) ?? startedMs) + LEASE_GRACE_MS - clock.monotonicMs();
      if (leftMs > 0) return { afterMs: leftMs };
      const conditions = unknownConditions(node, clock.nowMs());
      if (conditions !== node.status.conditions) {
        log.warn('node is silent', { node: name, graceMs: LEASE_GRACE_MS });
        await registry
          .update(
            NODES,
            objectKey(node),
            (current) => ({
              ...current,
              status: { ...current.status, conditions: unknownConditions(current, clock.nowMs()) },
            }),
            { subresource: 'status' },
          )
          .catch(ignoreGone);
        events.record('node-controller', node, {
          type: 'Normal',
          reason: 'NodeNotReady',
          message: `Node ${name} status is now: NodeNotReady`,
        });
      }
      for (const pod of pods.on(name)) {
        if (findCondition(pod.status.conditions, 'Ready')?.status !== 'True') continue;
        await registry
          .update(PODS, objectKey(pod), (current) => withNodeNotReady(current, clock.nowMs()), {
            subresource: 'status',
            uid: pod.metadata.uid,
          })
          .catch(ignoreGone);
      }
      // The next renewal is news again only through the node's own status report, or by looking when the lease comes back.
      return { afterMs: LEASE_GRACE_MS };
    },
  };
}
