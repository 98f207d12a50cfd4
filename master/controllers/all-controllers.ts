import type { Cidr } from '../../shared/meta/cidr.ts';
import type { Underway } from '../../shared/reconcile/underway.ts';
import { PODS } from '../../shared/resources/pod.ts';
import { REPLICA_SETS } from '../../shared/resources/replica-set.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Controller, ControllerParts } from './controller.ts';
import { ControllerRunner } from './controller-runner.ts';
import { deploymentController } from './deployment/deployment-controller.ts';
import { endpointsController } from './endpoints/endpoints-controller.ts';
import {
  endpointSliceController,
  slicesByService,
} from './endpointslice/endpointslice-controller.ts';
import { endpointSliceMirroringController } from './endpointslicemirroring/mirroring-controller.ts';
import { eventExpiryController } from './event-expiry/event-expiry-controller.ts';
import { Dependents } from './garbage-collector/dependents.ts';
import { garbageCollector } from './garbage-collector/garbage-collector.ts';
import { namespaceController } from './namespace/namespace-controller.ts';
import { nodeCidrController } from './node-cidr/node-cidr-controller.ts';
import { nodeLifecycleController } from './node-lifecycle/node-lifecycle-controller.ts';
import { OwnedObjects } from './owned-objects.ts';
import { podGarbageCollector } from './pod-gc/pod-gc.ts';
import { PodsByNode } from './pods-by-node.ts';
import { replicaSetController } from './replicaset/replicaset-controller.ts';
import { rootCaPublisher } from './root-ca-publisher/root-ca-publisher.ts';
import { ServicePods } from './service-pods.ts';
import { serviceAccountController } from './serviceaccount/serviceaccount-controller.ts';
import type { SystemAddresses } from './system-services/plan.ts';
import { systemServicesController } from './system-services/system-services-controller.ts';
import { tokenCleaner } from './token-cleaner/token-cleaner.ts';

export interface ControllerSettings {
  kinds: readonly ResourceKind[];
  clusterCidr: Cidr;
  /** Prefix length of a node's pod CIDR. */
  nodeCidrMaskSize: number;
  systemAddresses: SystemAddresses;
  /** The certificate authority of the API, PEM. */
  ca: string;
}

/** Every controller of the master with the indexes they share; started in the list's order, stopped backwards. */
export class Controllers {
  readonly #indexes: { start(): void; stop(): void }[];
  readonly #runners: ControllerRunner[];

  constructor(parts: ControllerParts, settings: ControllerSettings) {
    const { registry } = parts;
    const pods = new OwnedObjects(registry, PODS);
    const replicaSets = new OwnedObjects(registry, REPLICA_SETS);
    const podsByNode = new PodsByNode(registry);
    const servicePods = new ServicePods(registry);
    const slices = slicesByService(registry);
    const dependents = new Dependents(registry, settings.kinds);
    this.#indexes = [pods, replicaSets, podsByNode, servicePods, slices, dependents];
    const list: Controller[] = [
      namespaceController(parts, settings.kinds),
      nodeCidrController(parts, {
        clusterCidr: settings.clusterCidr,
        nodeMaskSize: settings.nodeCidrMaskSize,
      }),
      nodeLifecycleController(parts, podsByNode),
      deploymentController(parts, replicaSets, pods),
      replicaSetController(parts, pods),
      serviceAccountController(parts),
      rootCaPublisher(parts, settings.ca),
      systemServicesController(parts, settings.systemAddresses),
      endpointSliceController(parts, servicePods, slices),
      endpointsController(parts, servicePods),
      endpointSliceMirroringController(parts, slices),
      garbageCollector(parts, settings.kinds, dependents),
      podGarbageCollector(parts, podsByNode),
      eventExpiryController(parts),
      tokenCleaner(parts),
    ];
    this.#runners = list.map((controller) => new ControllerRunner(controller, parts));
  }

  start(): void {
    // Before the runners: an index must have seen a change when a reconcile that the change woke looks at it.
    for (const index of this.#indexes) index.start();
    for (const runner of this.#runners) runner.start();
  }

  /** The longest piece of work of each. */
  get underway(): (Underway | undefined)[] {
    return this.#runners.map((runner) => runner.underway);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#runners].reverse().map((runner) => runner.stop()));
    for (const index of this.#indexes) index.stop();
  }
}
