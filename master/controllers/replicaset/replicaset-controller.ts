import { objectKey } from '../../../shared/meta/kube-object.ts';
import { selects } from '../../../shared/meta/label-selector.ts';
import { controllerOf, controllerReference } from '../../../shared/meta/owner-reference.ts';
import { parseQueueKey, queueKey } from '../../../shared/reconcile/queue-key.ts';
import { PODS } from '../../../shared/resources/pod.ts';
import { REPLICA_SETS } from '../../../shared/resources/replica-set.ts';
import type { Pod, ReplicaSet } from '../../../shared/schema/kubernetes-types.ts';
import { type Controller, type ControllerParts, trigger } from '../controller.ts';
import { ignoreGone } from '../ignore-gone.ts';
import type { OwnedObjects } from '../owned-objects.ts';
import { planReplicaSet, type ReplicaSetAction } from './plan.ts';
import { replicaSetStatus } from './status.ts';

const COMPONENT = 'replicaset-controller';

/** Keeps each ReplicaSet's number of pods (kube-controller-manager's replicaset controller). */
export function replicaSetController(parts: ControllerParts, pods: OwnedObjects<Pod>): Controller {
  const { registry, clock } = parts;
  return {
    name: 'replicaset',
    triggers: [
      trigger(REPLICA_SETS, ({ object }) => [queueKey(object)]),
      trigger(PODS, ({ object, previous }) => [
        ...new Set([
          ...setsOf(parts, object),
          ...(previous === undefined ? [] : setsOf(parts, previous)),
        ]),
      ]),
    ],
    async reconcile(key) {
      const replicaSet = registry.find(REPLICA_SETS, parseQueueKey(key));
      if (replicaSet === undefined) return undefined;
      const { namespace = '', uid } = replicaSet.metadata;
      const actions = planReplicaSet(
        replicaSet,
        pods.of(uid),
        pods.orphans(namespace),
        clock.nowMs(),
      );
      let failure: unknown;
      try {
        await Promise.all(actions.map((action) => execute(parts, replicaSet, action)));
      } catch (error) {
        failure = error;
      }
      const { status, afterMs } = replicaSetStatus(replicaSet, pods.of(uid), clock.nowMs());
      await registry
        .update(REPLICA_SETS, objectKey(replicaSet), (current) => ({ ...current, status }), {
          subresource: 'status',
          uid,
        })
        .catch(ignoreGone);
      if (failure !== undefined) throw failure;
      return afterMs === undefined ? undefined : { afterMs };
    },
  };
}

/** The queue keys of the ReplicaSets that a pod matters to: its controller, or, without one, all of its namespace that select it. */
function setsOf({ registry }: ControllerParts, pod: Pod): string[] {
  const { namespace = '' } = pod.metadata;
  const owner = controllerOf(pod.metadata);
  if (owner !== undefined) return owner.kind === 'ReplicaSet' ? [`${namespace}/${owner.name}`] : [];
  return registry
    .list(REPLICA_SETS, namespace)
    .filter(({ spec }) => selects(spec.selector, pod.metadata.labels))
    .map(queueKey);
}

async function execute(
  parts: ControllerParts,
  replicaSet: ReplicaSet,
  action: ReplicaSetAction,
): Promise<void> {
  const { registry, events } = parts;
  switch (action.kind) {
    case 'adopt':
    case 'release':
      await registry
        .update(
          PODS,
          objectKey(action.pod),
          (current) => withOwner(current, replicaSet, action.kind === 'adopt'),
          { uid: action.pod.metadata.uid },
        )
        .catch(ignoreGone);
      return;
    case 'create':
      await createPods(parts, replicaSet, action.count);
      return;
    case 'delete': {
      const { name, uid } = action.pod.metadata;
      await registry
        .delete(PODS, objectKey(action.pod), { preconditions: { uid } })
        .catch(ignoreGone);
      events.record(COMPONENT, replicaSet, {
        type: 'Normal',
        reason: 'SuccessfulDelete',
        message: `Deleted pod: ${name}`,
      });
    }
  }
}

/** One, then twice as many each round, so that a template that is refused costs one refusal and not hundreds. */
async function createPods(
  { registry, events }: ControllerParts,
  replicaSet: ReplicaSet,
  count: number,
): Promise<void> {
  for (let left = count, batch = 1; left > 0; left -= batch, batch = Math.min(2 * batch, left)) {
    await Promise.all(
      Array.from({ length: Math.min(batch, left) }, async () => {
        try {
          const pod = await registry.create(PODS, newPod(replicaSet));
          events.record(COMPONENT, replicaSet, {
            type: 'Normal',
            reason: 'SuccessfulCreate',
            message: `Created pod: ${pod.metadata.name}`,
          });
        } catch (error) {
          const message = `Error creating: ${(error as Error).message}`;
          events.record(COMPONENT, replicaSet, {
            type: 'Warning',
            reason: 'FailedCreate',
            message,
          });
          throw error;
        }
      }),
    );
  }
}

function newPod(replicaSet: ReplicaSet): Pod {
  const { template } = replicaSet.spec;
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: '',
      generateName: `${replicaSet.metadata.name}-`,
      namespace: replicaSet.metadata.namespace ?? '',
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
      ...(finalizers !== undefined && { finalizers }),
      ownerReferences: [controllerReference(replicaSet)],
    },
    spec: template?.spec ?? { containers: [] },
    status: {},
  };
}

function withOwner(pod: Pod, replicaSet: ReplicaSet, owned: boolean): Pod {
  const others = (pod.metadata.ownerReferences ?? []).filter(
    ({ uid }) => uid !== replicaSet.metadata.uid,
  );
  const ownerReferences = owned ? [...others, controllerReference(replicaSet)] : others;
  const { ownerReferences: _dropped, ...metadata } = pod.metadata;
  return {
    ...pod,
    metadata: ownerReferences.length === 0 ? metadata : { ...metadata, ownerReferences },
  };
}
