import { carriedMetadata, newMetadata, statusMetadata } from '../meta/carried-metadata.ts';
import { semanticEqual } from '../meta/equality.ts';
import type { Pod, PodSpec, PodStatus } from '../schema/kubernetes-types.ts';
import { withEvictionTolerations } from './eviction-tolerations.ts';
import { admittedSpec } from './pod-admission.ts';
import { POD_COLUMNS } from './pod-columns.ts';
import { isTerminal } from './pod-conditions.ts';
import { defaultPod } from './pod-defaults.ts';
import { podQosClass } from './pod-resources.ts';
import { validatePodStatusUpdate, validatePodUpdate } from './pod-update.ts';
import { validateNewPod } from './pod-validation.ts';
import { podWarnings } from './pod-warnings.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';

export const PODS: ResourceKind<Pod> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  subresources: ['binding', 'eviction', 'log', 'status'],
  isVolatile: () => false,
  strategy: {
    prepareForCreate,
    default: defaultPod,
    validate: validateNewPod,
    prepareForUpdate,
    validateUpdate: validatePodUpdate,
    prepareForStatusUpdate,
    validateStatusUpdate: validatePodStatusUpdate,
    warnings: ({ spec }) => podWarnings(spec, ''),
    gracePeriodSeconds,
  },
  columns: POD_COLUMNS,
  selectableFields: {
    'spec.nodeName': (pod) => pod.spec.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec.serviceAccountName ?? '',
    'spec.hostNetwork': (pod) => String(pod.spec.hostNetwork ?? false),
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? '',
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
  },
};

/** Pods count generations since v1.33 (KEP-5067). Throws Forbidden where admission refuses the pod. */
function prepareForCreate(pod: Pod): Pod {
  const spec: PodSpec = pod.spec ?? { containers: [] };
  const isGated = (spec.schedulingGates ?? []).length > 0;
  const status: PodStatus = {
    phase: 'Pending',
    qosClass: podQosClass(spec),
    ...(isGated && {
      conditions: [
        {
          type: 'PodScheduled',
          status: 'False',
          lastProbeTime: null as unknown as string,
          lastTransitionTime: pod.metadata.creationTimestamp,
          reason: 'SchedulingGated',
          message: 'Scheduling is blocked due to non-empty scheduling gates',
        },
      ],
    }),
  };
  return {
    ...pod,
    metadata: newMetadata(pod.metadata, 1),
    spec: admittedSpec(pod, spec),
    status,
  };
}

function prepareForUpdate(next: Pod, previous: Pod): Pod {
  const spec = withPriority(next.spec ?? { containers: [] }, previous.spec);
  const complete = defaultPod({ ...next, spec: withEvictionTolerations(spec) }).spec;
  const isChanged = !semanticEqual(complete, previous.spec);
  return {
    ...next,
    metadata: carriedMetadata(next.metadata, previous.metadata, isChanged),
    spec: complete,
    status: previous.status,
  };
}

/** Admission fills in the priority at creation and keeps it at updates, whatever the client leaves out. */
function withPriority(
  spec: PodSpec,
  source: Pick<PodSpec, 'priority' | 'preemptionPolicy'>,
): PodSpec {
  const priority = spec.priority ?? source.priority;
  const preemptionPolicy = spec.preemptionPolicy ?? source.preemptionPolicy;
  return {
    ...spec,
    ...(priority !== undefined && { priority }),
    ...(preemptionPolicy !== undefined && { preemptionPolicy }),
  };
}

function prepareForStatusUpdate(next: Pod, previous: Pod): Pod {
  const qosClass = next.status?.qosClass || previous.status?.qosClass;
  return {
    ...next,
    metadata: statusMetadata(next.metadata, previous.metadata),
    spec: previous.spec,
    status: { ...next.status, ...(qosClass && { qosClass }) },
  };
}

/** What never ran or has ended goes at once; a negative request means one second, as on Kubernetes. */
function gracePeriodSeconds(pod: Pod, requested: number | undefined): number {
  if (!pod.spec.nodeName || isTerminal(pod)) return 0;
  const seconds = requested ?? pod.spec.terminationGracePeriodSeconds ?? 0;
  return seconds < 0 ? 1 : seconds;
}
