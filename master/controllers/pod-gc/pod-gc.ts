import { objectKey } from '../../../shared/meta/kube-object.ts';
import { NODES } from '../../../shared/resources/node.ts';
import { PODS } from '../../../shared/resources/pod.ts';
import { type Controller, type ControllerParts, trigger } from '../controller.ts';
import { ignoreGone } from '../ignore-gone.ts';
import type { PodsByNode } from '../pods-by-node.ts';

/** As kube-controller-manager's pod garbage collector waits, for a node that is made anew at once. */
const QUARANTINE_MS = 40_000;

/**
 * Removes the pods of nodes that do not exist any more: nobody is left to end them. The device may still run them, until it joins again
 * and hears that they are gone.
 */
export function podGarbageCollector(
  { registry, clock, log }: ControllerParts,
  pods: PodsByNode,
): Controller {
  const missingSinceMs = new Map<string, number>();
  const exists = (name: string) => registry.find(NODES, { namespace: '', name }) !== undefined;
  return {
    name: 'pod-gc',
    triggers: [
      trigger(NODES, ({ object, previous, removed }) =>
        removed || previous === undefined ? [object.metadata.name] : [],
      ),
      trigger(PODS, ({ object, previous, removed }) => {
        const node = object.spec.nodeName;
        if (removed || !node || previous?.spec.nodeName === node || exists(node)) return [];
        return [node];
      }),
    ],
    async reconcile(name) {
      if (exists(name) || pods.on(name).length === 0) {
        missingSinceMs.delete(name);
        return undefined;
      }
      const nowMs = clock.monotonicMs();
      const sinceMs = missingSinceMs.get(name) ?? nowMs;
      missingSinceMs.set(name, sinceMs);
      const leftMs = sinceMs + QUARANTINE_MS - nowMs;
      if (leftMs > 0) return { afterMs: leftMs };
      for (const pod of pods.on(name)) {
        const { uid, namespace } = pod.metadata;
        const options = { gracePeriodSeconds: 0, preconditions: { uid } };
        await registry.delete(PODS, objectKey(pod), options).catch(ignoreGone);
        log.info('removed a pod whose node is gone', {
          pod: `${namespace}/${pod.metadata.name}`,
          node: name,
        });
      }
      missingSinceMs.delete(name);
      return undefined;
    },
  };
}
