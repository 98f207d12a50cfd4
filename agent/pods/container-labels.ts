import type { ContainerState } from '../runtime/runtime.ts';

/** The labels that every container carries: the first four as every Kubernetes node sets them, the others are what adopting needs. */
export const LABEL = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  container: 'io.kubernetes.container.name',
  /** How often the container had been restarted when this one was made. */
  attempt: 'skerry.dev/attempt',
  /** Which of the pod's sandboxes it belongs to: 1 for the first. */
  sandbox: 'skerry.dev/sandbox',
  /** The image as the pod's spec names it: another one there means another container. */
  specImage: 'skerry.dev/spec-image',
  /** How long the container may take to end when it is asked to: its pod's grace, for whoever stops it without the pod at hand. */
  graceSeconds: 'skerry.dev/grace-seconds',
} as const;

/** Kubernetes' default of terminationGracePeriodSeconds. */
export const DEFAULT_GRACE_SECONDS = 30;

/** How long the container may take to end, milliseconds. */
export function graceMsOf({ labels }: Pick<ContainerState, 'labels'>): number {
  return Number(labels[LABEL.graceSeconds] ?? DEFAULT_GRACE_SECONDS) * 1000;
}

/** One container of a pod as the engine has it, with what its labels say. */
export interface ObservedContainer {
  id: string;
  container: string;
  attempt: number;
  sandbox: number;
  specImage: string;
  state: ContainerState['state'];
  exitCode: number;
  oomKilled: boolean;
  startedAt?: string;
  finishedAt?: string;
  image: string;
  imageId: string;
}

export function podUidOf(state: ContainerState): string {
  return state.labels[LABEL.podUid] ?? '';
}

export function observeContainer(state: ContainerState): ObservedContainer {
  const { labels } = state;
  return {
    id: state.id,
    container: labels[LABEL.container] ?? '',
    attempt: Number(labels[LABEL.attempt] ?? 0),
    sandbox: Number(labels[LABEL.sandbox] ?? 0),
    specImage: labels[LABEL.specImage] ?? '',
    state: state.state,
    exitCode: state.exitCode ?? 0,
    oomKilled: state.oomKilled ?? false,
    ...(state.startedAt === undefined ? {} : { startedAt: state.startedAt }),
    ...(state.finishedAt === undefined ? {} : { finishedAt: state.finishedAt }),
    image: state.image,
    imageId: state.imageId,
  };
}
