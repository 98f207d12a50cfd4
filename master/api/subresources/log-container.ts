import { badRequest } from '../../../shared/errors.ts';
import type { ContainerStatus, Pod } from '../../../shared/schema/kubernetes-types.ts';

/** The container whose log is asked for; it may be left out where there is only one. Throws BadRequest. */
export function containerFor(pod: Pod, requested: string): string {
  const { name } = pod.metadata;
  const all = [
    ...(pod.spec.initContainers ?? []),
    ...pod.spec.containers,
    ...(pod.spec.ephemeralContainers ?? []),
  ].map((container) => container.name);
  if (requested !== '') {
    if (all.includes(requested)) return requested;
    throw badRequest(`container ${requested} is not valid for pod ${name}`);
  }
  const only = pod.spec.containers[0];
  if (only !== undefined && pod.spec.containers.length === 1) return only.name;
  throw badRequest(
    `a container name must be specified for pod ${name}, choose one of: [${all.join(' ')}]`,
  );
}

const WAITING_TEXTS: Readonly<Record<string, string>> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: 'trying and failing to pull image',
};

/** Whether the container has begun a log, in the kubelet's words for where it has not. Throws BadRequest. */
export function checkHasLog(pod: Pod, container: string, previous: boolean): void {
  const subject = `container "${container}" in pod "${pod.metadata.name}"`;
  const status = statusOf(pod, container);
  const last = status?.lastState?.terminated;
  const { running, terminated, waiting } = status?.state ?? {};
  if (previous) {
    if (last?.containerID) return;
    throw badRequest(`previous terminated ${subject} not found`);
  }
  if (running !== undefined || terminated?.containerID || last?.containerID) return;
  if (terminated !== undefined || last !== undefined) {
    throw badRequest(`${subject} is terminated`);
  }
  const reason = waiting === undefined ? 'ContainerCreating' : (waiting.reason ?? '');
  throw badRequest(`${subject} is waiting to start: ${WAITING_TEXTS[reason] ?? reason}`);
}

function statusOf({ status }: Pod, container: string): ContainerStatus | undefined {
  return [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].find(({ name }) => name === container);
}
