import type { Container } from '../../shared/schema/kubernetes-types.ts';
import { type BackoffEntry, backoffLeftMs } from './backoff.ts';
import type { Waiting } from './observed-pod.ts';
import type { PodAction } from './pod-actions.ts';
import { pullPolicy } from './pull-policy.ts';

/** What is known of one image for one pod. `pulled`: this pod pulled it and has not started a container with it yet. */
export type ImageView =
  | { state: 'unknown' | 'present' | 'pulled' }
  | { state: 'absent'; seenAtMs: number }
  | { state: 'pulling'; failedBefore: PullFailure | undefined }
  | { state: 'failed'; failure: PullFailure }
  | { state: 'invalid'; message: string };

export interface PullFailure {
  /** The engine's own words. */
  message: string;
  failedAtMs: number;
  backoff: BackoffEntry;
}

export interface ImagePlan {
  isReady: boolean;
  alreadyPresent: boolean;
  action?: PodAction;
  waiting?: Waiting;
  leftMs?: number;
}

/** ErrImagePull shows this long before ImagePullBackOff takes its place, as between two looks of the kubelet. */
const FAILURE_SHOWN_MS = 1_000;

/** What the image of a container needs before its start, by its pull policy. */
export function planImage(container: Container, view: ImageView, nowMs: number): ImagePlan {
  const image = container.image ?? '';
  const pull: PodAction = { kind: 'pullImage', container: container.name, image };
  switch (view.state) {
    case 'unknown':
      return { ...NOT_READY, action: { kind: 'lookUpImage', image } };
    case 'invalid':
      return { ...NOT_READY, waiting: { reason: 'InvalidImageName', message: view.message } };
    case 'pulled':
      return { isReady: true, alreadyPresent: false };
    case 'present':
      if (pullPolicy(container) === 'Always') return { ...NOT_READY, action: pull };
      return { isReady: true, alreadyPresent: true };
    case 'absent':
      if (pullPolicy(container) !== 'Never') return { ...NOT_READY, action: pull };
      return planNeverPull(image, view.seenAtMs, nowMs);
    case 'pulling':
      if (view.failedBefore === undefined) return NOT_READY;
      return { ...NOT_READY, waiting: backOff(image, view.failedBefore) };
    case 'failed':
      return planRetry(image, view.failure, pull, nowMs);
  }
}

const NOT_READY = { isReady: false, alreadyPresent: false } as const;
/** Someone may import the image by hand: look again now and then, as the kubelet's next sync does. */
const NEVER_PULL_LOOK_MS = 60_000;

function planNeverPull(image: string, seenAtMs: number, nowMs: number): ImagePlan {
  const leftMs = seenAtMs + NEVER_PULL_LOOK_MS - nowMs;
  const waiting = {
    reason: 'ErrImageNeverPull',
    message: `Container image "${image}" is not present with pull policy of Never`,
  };
  if (leftMs > 0) return { ...NOT_READY, waiting, leftMs };
  return { ...NOT_READY, waiting, action: { kind: 'lookUpImage', image } };
}

function planRetry(image: string, failure: PullFailure, pull: PodAction, nowMs: number): ImagePlan {
  const shownMs = failure.failedAtMs + FAILURE_SHOWN_MS - nowMs;
  if (shownMs > 0) {
    return {
      ...NOT_READY,
      waiting: { reason: 'ErrImagePull', message: failure.message },
      leftMs: shownMs,
    };
  }
  const leftMs = backoffLeftMs(failure.backoff, failure.failedAtMs, nowMs);
  const waiting = backOff(image, failure);
  return leftMs > 0 ? { ...NOT_READY, waiting, leftMs } : { ...NOT_READY, waiting, action: pull };
}

function backOff(image: string, failure: PullFailure): Waiting {
  return {
    reason: 'ImagePullBackOff',
    message: `Back-off pulling image "${image}": ErrImagePull: ${failure.message}`,
  };
}
