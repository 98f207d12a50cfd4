import { ApiError } from '../../shared/errors.ts';
import { formatMicroTime } from '../../shared/meta/time.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { LEASES } from '../../shared/resources/lease.ts';
import { NODES } from '../../shared/resources/node.ts';
import type { Lease, Node } from '../../shared/schema/kubernetes-types.ts';
import type { Registry } from '../store/registry.ts';

const NODE_LEASE_NAMESPACE = 'kube-node-lease';
/** As the kubelet's nodeLeaseDurationSeconds. */
const LEASE_DURATION_SECONDS = 40;

/** A heartbeat renews the node's lease (KEP-589), by the master's clock; these leases are kept in memory only. */
export class NodeLeases {
  readonly #registry: Registry;
  readonly #clock: Clock;

  constructor(parts: { registry: Registry; clock: Clock }) {
    this.#registry = parts.registry;
    this.#clock = parts.clock;
  }

  async renew(name: string): Promise<void> {
    const node = this.#registry.find(NODES, { namespace: '', name });
    if (!node) return;
    const key = { namespace: NODE_LEASE_NAMESPACE, name };
    const renewTime = formatMicroTime(this.#clock.nowMs());
    if (!this.#registry.find(LEASES, key)) {
      try {
        await this.#registry.create(LEASES, newLease(node, renewTime));
        return;
      } catch (error) {
        if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error;
      }
    }
    await this.#registry.update(LEASES, key, (lease) => ({
      ...lease,
      spec: { ...lease.spec, renewTime },
    }));
  }
}

function newLease({ metadata: { name, uid } }: Node, renewTime: string): Lease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name,
      namespace: NODE_LEASE_NAMESPACE,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }],
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
    },
    spec: { holderIdentity: name, leaseDurationSeconds: LEASE_DURATION_SECONDS, renewTime },
  };
}
