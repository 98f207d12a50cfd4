import { ApiError } from '../../../shared/errors.ts';
import { objectKey } from '../../../shared/meta/kube-object.ts';
import { selects } from '../../../shared/meta/label-selector.ts';
import { controllerOf, controllerReference } from '../../../shared/meta/owner-reference.ts';
import { parseQueueKey, queueKey } from '../../../shared/reconcile/queue-key.ts';
import { DEPLOYMENTS } from '../../../shared/resources/deployment.ts';
import { REPLICA_SETS } from '../../../shared/resources/replica-set.ts';
import type { Deployment, Pod, ReplicaSet } from '../../../shared/schema/kubernetes-types.ts';
import { type Controller, type ControllerParts, trigger } from '../controller.ts';
import { ignoreGone } from '../ignore-gone.ts';
import type { OwnedObjects } from '../owned-objects.ts';
import { REVISION } from './annotations.ts';
import { type DeploymentAction, planDeployment, rolloutOf } from './plan.ts';
import { equalTemplates, POD_TEMPLATE_HASH } from './pod-template-hash.ts';
import { deploymentStatus } from './status.ts';

const COMPONENT = 'deployment-controller';

/** Rolls Deployments out through ReplicaSets (kube-controller-manager's deployment controller). */
export function deploymentController(
  parts: ControllerParts,
  replicaSets: OwnedObjects<ReplicaSet>,
  pods: OwnedObjects<Pod>,
): Controller {
  const { registry, clock } = parts;
  return {
    name: 'deployment',
    triggers: [
      trigger(DEPLOYMENTS, ({ object }) => [queueKey(object)]),
      trigger(REPLICA_SETS, ({ object, previous }) => [
        ...new Set([
          ...deploymentsOf(parts, object),
          ...(previous === undefined ? [] : deploymentsOf(parts, previous)),
        ]),
      ]),
    ],
    async reconcile(key) {
      const deployment = registry.find(DEPLOYMENTS, parseQueueKey(key));
      if (deployment === undefined) return undefined;
      const { uid } = deployment.metadata;
      await adopt(parts, deployment, replicaSets);
      const sets = replicaSets.of(uid);
      const { old } = rolloutOf(deployment, sets);
      const oldPods = old.flatMap((set) => pods.of(set.metadata.uid));
      for (const action of planDeployment(deployment, sets, oldPods))
        await execute(parts, deployment, action);
      const rollout = rolloutOf(deployment, replicaSets.of(uid));
      const { status, afterMs } = deploymentStatus(deployment, rollout, clock.nowMs());
      await registry
        .update(DEPLOYMENTS, objectKey(deployment), (current) => ({ ...current, status }), {
          subresource: 'status',
          uid,
        })
        .catch(ignoreGone);
      // With Recreate the end of the last old pod is what moves the rollout on; the ReplicaSet's status tells of it.
      return afterMs === undefined ? undefined : { afterMs };
    },
  };
}

function deploymentsOf({ registry }: ControllerParts, set: ReplicaSet): string[] {
  const { namespace = '' } = set.metadata;
  const owner = controllerOf(set.metadata);
  if (owner !== undefined) return owner.kind === 'Deployment' ? [`${namespace}/${owner.name}`] : [];
  return registry
    .list(DEPLOYMENTS, namespace)
    .filter(({ spec }) => selects(spec.selector, set.metadata.labels))
    .map(queueKey);
}

/** Takes ReplicaSets without a controller that it selects, lets go of owned ones that it no longer does. */
async function adopt(
  { registry }: ControllerParts,
  deployment: Deployment,
  replicaSets: OwnedObjects<ReplicaSet>,
): Promise<void> {
  if (deployment.metadata.deletionTimestamp !== undefined) return;
  const { namespace = '', uid } = deployment.metadata;
  const matches = (set: ReplicaSet) => selects(deployment.spec.selector, set.metadata.labels);
  const adopted = replicaSets
    .orphans(namespace)
    .filter((set) => matches(set) && set.metadata.deletionTimestamp === undefined);
  const released = replicaSets.of(uid).filter((set) => !matches(set));
  for (const set of [...adopted, ...released]) {
    await registry
      .update(
        REPLICA_SETS,
        objectKey(set),
        (current) => {
          const others = (current.metadata.ownerReferences ?? []).filter(
            (reference) => reference.uid !== uid,
          );
          const owners = matches(current) ? [...others, controllerReference(deployment)] : others;
          return { ...current, metadata: { ...current.metadata, ownerReferences: owners } };
        },
        { uid: set.metadata.uid },
      )
      .catch(ignoreGone);
  }
}

async function execute(
  parts: ControllerParts,
  deployment: Deployment,
  action: DeploymentAction,
): Promise<void> {
  const { registry } = parts;
  switch (action.kind) {
    case 'create':
      await createSet(parts, deployment, action);
      return;
    case 'scale': {
      const { set, replicas, annotations } = action;
      const from = set.spec.replicas ?? 0;
      await registry.update(
        REPLICA_SETS,
        objectKey(set),
        (current) => ({
          ...current,
          metadata: { ...current.metadata, annotations },
          spec: { ...current.spec, replicas },
        }),
        { uid: set.metadata.uid },
      );
      if (from !== replicas) recordScaling(parts, deployment, set.metadata.name, from, replicas);
      return;
    }
    case 'annotate':
      await registry.update(
        REPLICA_SETS,
        objectKey(action.set),
        (current) => ({
          ...current,
          metadata: { ...current.metadata, annotations: action.annotations },
        }),
        { uid: action.set.metadata.uid },
      );
      return;
    case 'set-revision':
      await registry.update(
        DEPLOYMENTS,
        objectKey(deployment),
        (current) => ({
          ...current,
          metadata: {
            ...current.metadata,
            annotations: { ...current.metadata.annotations, [REVISION]: String(action.revision) },
          },
        }),
        { uid: deployment.metadata.uid },
      );
      return;
    case 'delete':
      await registry
        .delete(REPLICA_SETS, objectKey(action.set), {
          preconditions: { uid: action.set.metadata.uid },
        })
        .catch(ignoreGone);
  }
}

async function createSet(
  parts: ControllerParts,
  deployment: Deployment,
  action: DeploymentAction & { kind: 'create' },
): Promise<void> {
  const { registry } = parts;
  const made = newReplicaSet(deployment, action);
  try {
    await registry.create(REPLICA_SETS, made);
    recordScaling(parts, deployment, action.name, 0, action.replicas);
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error;
    const existing = registry.find(REPLICA_SETS, objectKey(made));
    const ours =
      existing !== undefined && controllerOf(existing.metadata)?.uid === deployment.metadata.uid;
    if (
      ours &&
      existing.spec.template !== undefined &&
      equalTemplates(existing.spec.template, deployment.spec.template)
    )
      return;
    // Another template has the same hash: the next attempt hashes with a higher count.
    await registry.update(
      DEPLOYMENTS,
      objectKey(deployment),
      (current) => ({
        ...current,
        status: { ...current.status, collisionCount: (current.status.collisionCount ?? 0) + 1 },
      }),
      { subresource: 'status' },
    );
    throw error;
  }
}

function newReplicaSet(
  deployment: Deployment,
  action: DeploymentAction & { kind: 'create' },
): ReplicaSet {
  const { template, selector, minReadySeconds } = deployment.spec;
  const hashed = { [POD_TEMPLATE_HASH]: action.hash };
  const labels = { ...template.metadata?.labels, ...hashed };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: action.name,
      namespace: deployment.metadata.namespace ?? '',
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
      labels,
      annotations: action.annotations,
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: action.replicas,
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, ...hashed } },
      template: {
        ...template,
        metadata: { ...(template.metadata as NonNullable<typeof template.metadata>), labels },
      },
    },
    status: { replicas: 0 },
  };
}

function recordScaling(
  { events }: ControllerParts,
  deployment: Deployment,
  name: string,
  from: number,
  to: number,
): void {
  if (from === to) return;
  const direction = to > from ? 'up' : 'down';
  events.record(COMPONENT, deployment, {
    type: 'Normal',
    reason: 'ScalingReplicaSet',
    message: `Scaled ${direction} replica set ${name} from ${from} to ${to}`,
  });
}
