import { type Cidr, formatCidr } from '../../../shared/meta/cidr.ts';
import { NODES } from '../../../shared/resources/node.ts';
import { type Controller, type ControllerParts, trigger } from '../controller.ts';
import { ignoreGone } from '../ignore-gone.ts';
import { nextNodeCidr } from './plan.ts';

/** Every node is one key: two nodes are never given a range at the same time. */
const KEY = 'nodes';

/** Gives each node its range of pod addresses (spec.podCIDR), once. */
export function nodeCidrController(
  { registry, events, log }: ControllerParts,
  range: { clusterCidr: Cidr; nodeMaskSize: number },
): Controller {
  return {
    name: 'node-cidr',
    triggers: [
      trigger(NODES, ({ object, removed }) =>
        removed || object.spec.podCIDR === undefined ? [KEY] : [],
      ),
    ],
    async reconcile() {
      for (const node of registry.list(NODES)) {
        if (node.spec.podCIDR !== undefined) continue;
        const taken = registry
          .list(NODES)
          .flatMap(({ spec }) => (spec.podCIDR === undefined ? [] : [spec.podCIDR]));
        const podCIDR = nextNodeCidr(range.clusterCidr, range.nodeMaskSize, taken);
        if (podCIDR === undefined) {
          const message = `Node ${node.metadata.name} has no pod CIDR: ${formatCidr(range.clusterCidr)} is used up`;
          events.record('cidrAllocator', node, {
            type: 'Warning',
            reason: 'CIDRNotAvailable',
            message,
          });
          return undefined;
        }
        await registry
          .update(NODES, { namespace: '', name: node.metadata.name }, (current) => ({
            ...current,
            spec: { ...current.spec, podCIDR, podCIDRs: [podCIDR] },
          }))
          .catch(ignoreGone);
        log.info('node has its pod CIDR', { node: node.metadata.name, podCIDR });
      }
      return undefined;
    },
  };
}
