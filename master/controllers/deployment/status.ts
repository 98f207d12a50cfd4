import { findCondition, removeCondition, setCondition } from '../../../shared/meta/condition.ts';
import { formatTime, parseTime } from '../../../shared/meta/time.ts';
import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
} from '../../../shared/schema/kubernetes-types.ts';
import { isComplete, type Rollout } from './plan.ts';
import { rolloutBounds } from './rollout-bounds.ts';

/** Kubernetes' "no deadline". */
const NO_DEADLINE = 2 ** 31 - 1;

/**
 * status of a Deployment from its ReplicaSets, and when its progress deadline has to be looked at again. Reasons and messages are
 * those of kube-controller-manager, which `kubectl rollout status` reads.
 */
export function deploymentStatus(
  deployment: Deployment,
  { newest, old }: Rollout,
  nowMs: number,
): { status: DeploymentStatus; afterMs: number | undefined } {
  const all = newest === undefined ? old : [newest, ...old];
  const sum = (count: (set: ReplicaSet) => number | undefined) =>
    all.reduce((total, set) => total + (count(set) ?? 0), 0);
  const available = sum(({ status }) => status.availableReplicas);
  const wanted = sum(({ spec }) => spec.replicas);
  const counts: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum(({ status }) => status.replicas),
    updatedReplicas: newest?.status.replicas ?? 0,
    readyReplicas: sum(({ status }) => status.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, wanted - available),
    ...(deployment.status.collisionCount !== undefined && {
      collisionCount: deployment.status.collisionCount,
    }),
  };
  const next = {
    ...deployment,
    status: { ...counts, conditions: deployment.status.conditions ?? [] },
  };
  const withAvailable = availableCondition(next, nowMs);
  const { conditions, afterMs } = progressing(deployment, next, newest, withAvailable, nowMs);
  return { status: omitZeros({ ...counts, conditions }), afterMs };
}

function availableCondition({ spec, status }: Deployment, nowMs: number): DeploymentCondition[] {
  const replicas = spec.replicas ?? 1;
  const { maxUnavailable } = rolloutBounds({ spec } as Deployment);
  const enough = (status.availableReplicas ?? 0) >= replicas - maxUnavailable;
  return put(
    status.conditions,
    enough
      ? condition(
          'Available',
          'True',
          'MinimumReplicasAvailable',
          'Deployment has minimum availability.',
        )
      : condition(
          'Available',
          'False',
          'MinimumReplicasUnavailable',
          'Deployment does not have minimum availability.',
        ),
    nowMs,
  );
}

function progressing(
  before: Deployment,
  next: Deployment,
  newest: ReplicaSet | undefined,
  conditions: DeploymentCondition[],
  nowMs: number,
): { conditions: DeploymentCondition[]; afterMs: number | undefined } {
  const deadlineSeconds = before.spec.progressDeadlineSeconds ?? 600;
  if (deadlineSeconds >= NO_DEADLINE)
    return { conditions: removeCondition(conditions, 'Progressing'), afterMs: undefined };
  const current = findCondition(conditions, 'Progressing');
  if (before.spec.paused === true) {
    return {
      conditions: put(
        conditions,
        condition('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused'),
        nowMs,
      ),
      afterMs: undefined,
    };
  }
  // A rollout that ended stays ended until the template changes.
  const ended =
    next.status.replicas === next.status.updatedReplicas &&
    current?.reason === 'NewReplicaSetAvailable';
  if (ended) return { conditions, afterMs: undefined };
  const subject =
    newest === undefined
      ? `Deployment "${before.metadata.name}"`
      : `ReplicaSet "${newest.metadata.name}"`;
  if (isComplete(next)) {
    const done = condition(
      'Progressing',
      'True',
      'NewReplicaSetAvailable',
      `${subject} has successfully progressed.`,
    );
    return { conditions: put(conditions, done, nowMs), afterMs: undefined };
  }
  const moved = hasMoved(before.status, next.status);
  if (moved || current === undefined || current.status === 'Unknown') {
    const first = current === undefined && newest !== undefined && !moved;
    const reason = first ? 'NewReplicaSetCreated' : 'ReplicaSetUpdated';
    const message = first
      ? `Created new replica set "${newest.metadata.name}"`
      : `${subject} is progressing.`;
    const renewed = condition('Progressing', 'True', reason, message);
    return { conditions: put(conditions, renewed, nowMs, moved), afterMs: deadlineSeconds * 1000 };
  }
  const sinceMs = parseTime(current.lastUpdateTime) ?? nowMs;
  const leftMs = sinceMs + deadlineSeconds * 1000 - nowMs;
  if (leftMs > 0 || current.status === 'False')
    return { conditions, afterMs: leftMs > 0 ? leftMs : undefined };
  const late = condition(
    'Progressing',
    'False',
    'ProgressDeadlineExceeded',
    `${subject} has timed out progressing.`,
  );
  return { conditions: put(conditions, late, nowMs), afterMs: undefined };
}

/** DeploymentProgressing: more updated, fewer old, more ready or available than before. */
function hasMoved(before: DeploymentStatus, next: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (next.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(next) < old(before) ||
    (next.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (next.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function condition(
  type: string,
  status: string,
  reason: string,
  message: string,
): DeploymentCondition {
  return { type, status, reason, message };
}

/** lastUpdateTime moves when anything is said anew, or progress was made; lastTransitionTime only when the status turns. */
function put(
  conditions: readonly DeploymentCondition[] | undefined,
  next: DeploymentCondition,
  nowMs: number,
  progressed = false,
): DeploymentCondition[] {
  const now = formatTime(nowMs);
  const before = findCondition(conditions, next.type);
  const same =
    before?.status === next.status &&
    before.reason === next.reason &&
    before.message === next.message;
  const lastUpdateTime = same && !progressed ? (before.lastUpdateTime ?? now) : now;
  return setCondition(conditions, { ...next, lastUpdateTime }, now);
}

/** Kubernetes leaves counts out when they are 0 (omitempty). */
function omitZeros(status: DeploymentStatus): DeploymentStatus {
  return Object.fromEntries(
    Object.entries(status).filter(([, value]) => value !== 0),
  ) as DeploymentStatus;
}
