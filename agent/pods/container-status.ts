import { isSidecar } from '../../shared/resources/pod-resources.ts';
import type {
  Container,
  ContainerState,
  ContainerStatus,
  Pod,
} from '../../shared/schema/kubernetes-types.ts';
import type { ContainerReadiness } from './collaborators.ts';
import type { Waiting } from './observed-pod.ts';
import type { ContainerRecord, PodRecord } from './pod-record.ts';

export interface ContainerStatusContext {
  record: PodRecord;
  waiting: ReadonlyMap<string, Waiting>;
  readiness: ContainerReadiness;
  /** `podman` or `containerd`: the scheme of container ids. */
  scheme: string;
}

/** Of the init containers in their order. */
export function initContainerStatuses(
  pod: Pod,
  context: ContainerStatusContext,
): ContainerStatus[] {
  return (pod.spec.initContainers ?? []).map((container) => {
    const status = containerStatus(pod, container, 'PodInitializing', context);
    if (isSidecar(container)) return status;
    return {
      ...status,
      ready: status.state?.terminated?.exitCode === 0,
      started: false,
    };
  });
}

/** Of the main containers, by name, as the kubelet sorts them. */
export function mainContainerStatuses(
  pod: Pod,
  context: ContainerStatusContext,
): ContainerStatus[] {
  const isInitialising = (pod.spec.initContainers ?? []).length > 0;
  const reason = isInitialising ? 'PodInitializing' : 'ContainerCreating';
  return pod.spec.containers
    .map((container) => containerStatus(pod, container, reason, context))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function containerStatus(
  pod: Pod,
  container: Container,
  defaultReason: string,
  { record, waiting, readiness, scheme }: ContainerStatusContext,
): ContainerStatus {
  const own = record.containers[container.name];
  const run = own?.run;
  const isRunning = run !== undefined && run.ended === undefined;
  const started = isRunning && readiness.isStarted(pod.metadata.uid, container.name);
  const { state, lastState } = states(own, waiting.get(container.name), defaultReason);
  return {
    name: container.name,
    state,
    lastState,
    ready: started && readiness.isReady(pod.metadata.uid, container.name),
    restartCount: run?.attempt ?? 0,
    image: run?.image ?? container.image ?? '',
    imageID: run?.imageId ?? '',
    ...(run === undefined ? {} : { containerID: `${scheme}://${run.id}` }),
    started,
    ...(run === undefined ? {} : resourcesOf(container)),
    ...(run === undefined ? {} : volumeMountsOf(container)),
  };
}

function states(
  own: ContainerRecord | undefined,
  waiting: Waiting | undefined,
  defaultReason: string,
): { state: ContainerState; lastState: ContainerState } {
  const run = own?.run;
  const previous = own?.previous?.ended;
  const lastState: ContainerState = previous === undefined ? {} : { terminated: previous };
  if (run === undefined)
    return { state: { waiting: waiting ?? { reason: defaultReason } }, lastState };
  if (run.ended === undefined) {
    const running = run.startedAt === undefined ? {} : { startedAt: run.startedAt };
    return { state: { running }, lastState };
  }
  if (waiting === undefined) return { state: { terminated: run.ended }, lastState };
  return { state: { waiting }, lastState: { terminated: run.ended } };
}

function resourcesOf({ resources }: Container): Partial<ContainerStatus> {
  const requests = resources?.requests;
  const limits = resources?.limits;
  return {
    ...(requests === undefined ? {} : { allocatedResources: requests }),
    resources: {
      ...(limits === undefined ? {} : { limits }),
      ...(requests === undefined ? {} : { requests }),
    },
  };
}

function volumeMountsOf({ volumeMounts = [] }: Container): Partial<ContainerStatus> {
  if (volumeMounts.length === 0) return {};
  return {
    volumeMounts: volumeMounts.map(({ name, mountPath, readOnly }) => ({
      name,
      mountPath,
      ...(readOnly === true ? { readOnly, recursiveReadOnly: 'Disabled' } : {}),
    })),
  };
}
