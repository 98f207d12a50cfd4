import { conflict } from '../../shared/errors.ts';
import type { KubeObject } from '../../shared/meta/kube-object.ts';
import { formatTime, parseTime } from '../../shared/meta/time.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Namespace, ObjectMeta } from '../../shared/schema/kubernetes-types.ts';
import { isNamespaceKind } from './namespace-lifecycle.ts';

export interface DeletionRequest {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  preconditions?: { uid?: string; resourceVersion?: string };
}

/** `keep`: the deletion is under way and nothing changes; `mark`: stored with its deletionTimestamp; `remove`: gone. */
export interface DeletionPlan<T extends KubeObject> {
  action: 'keep' | 'mark' | 'remove';
  object: T;
}

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

/** What a request to delete does to the object (registry.Store.Delete with rest.BeforeDelete). Throws Conflict. */
export function planDeletion<T extends KubeObject>(
  kind: ResourceKind<T>,
  current: T,
  request: DeletionRequest,
  nowMs: number,
): DeletionPlan<T> {
  checkPreconditions(kind, current.metadata, request.preconditions ?? {});
  if (isNamespaceKind(kind)) return planNamespaceDeletion(current, request, nowMs);
  const grace = planGrace(kind, current, request, nowMs);
  if (grace === 'pending') return { action: 'keep', object: current };
  const finalizers = finalizersFor(current.metadata, request);
  const waits = finalizers.length > 0;
  const marked = grace ?? (waits ? markedAsDeleting(current.metadata, nowMs) : current.metadata);
  const object = { ...current, metadata: withFinalizers(marked, finalizers) };
  if (waits) return { action: 'mark', object };
  return {
    action: grace && (grace.deletionGracePeriodSeconds ?? 0) > 0 ? 'mark' : 'remove',
    object,
  };
}

/** Whether an update leaves nothing to wait for: a deletion was requested, its grace is 0, and the last finalizer went. */
export function isFinished(next: KubeObject, current: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = current.metadata;
  if (deletionTimestamp === undefined || (next.metadata.finalizers ?? []).length > 0) return false;
  if (next.kind === 'Namespace' && next.apiVersion === 'v1') {
    if (((next as Namespace).spec?.finalizers ?? []).length > 0) return false;
  }
  return (deletionGracePeriodSeconds ?? 0) === 0;
}

function checkPreconditions(
  { group, kind }: { group: string; kind: string },
  { name, uid, resourceVersion }: ObjectMeta,
  wanted: { uid?: string; resourceVersion?: string },
): void {
  const record = { group, plural: kind };
  if (wanted.uid !== undefined && wanted.uid !== uid) {
    throw conflict(
      record,
      name,
      `the UID in the precondition (${wanted.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
  }
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion) {
    throw conflict(
      record,
      name,
      `the ResourceVersion in the precondition (${wanted.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    );
  }
}

/** undefined: the kind knows no grace; `pending`: a deletion is under way that this request does not shorten. */
function planGrace<T extends KubeObject>(
  kind: ResourceKind<T>,
  current: T,
  request: DeletionRequest,
  nowMs: number,
): ObjectMeta | 'pending' | undefined {
  const { strategy } = kind;
  if (!strategy.gracePeriodSeconds) return undefined;
  const requested = request.gracePeriodSeconds;
  const { metadata } = current;
  const running = metadata.deletionGracePeriodSeconds ?? 0;
  if (metadata.deletionTimestamp !== undefined) {
    if (running === 0) return undefined;
    if (requested === undefined) return 'pending';
    const shorter = requested < 0 ? 1 : requested;
    return shorter >= running ? 'pending' : shortened(metadata, running, shorter);
  }
  const seconds = strategy.gracePeriodSeconds(current, requested);
  return {
    ...raisedGeneration(metadata),
    deletionTimestamp: formatTime(nowMs + seconds * 1000),
    deletionGracePeriodSeconds: seconds,
  };
}

function shortened(metadata: ObjectMeta, running: number, seconds: number): ObjectMeta {
  const endMs = parseTime(metadata.deletionTimestamp) ?? 0;
  return {
    ...metadata,
    deletionTimestamp: formatTime(endMs + (seconds - running) * 1000),
    deletionGracePeriodSeconds: seconds,
  };
}

function markedAsDeleting(metadata: ObjectMeta, nowMs: number): ObjectMeta {
  const known = parseTime(metadata.deletionTimestamp);
  const raised =
    metadata.deletionGracePeriodSeconds === undefined ? raisedGeneration(metadata) : metadata;
  const isPast = known !== undefined && known <= nowMs;
  return {
    ...raised,
    deletionTimestamp: isPast ? formatTime(known) : formatTime(nowMs),
    deletionGracePeriodSeconds: 0,
  };
}

function raisedGeneration(metadata: ObjectMeta): ObjectMeta {
  const { generation } = metadata;
  return generation ? { ...metadata, generation: generation + 1 } : metadata;
}

/** The finalizers by which the garbage collector waits for or lets go of the dependents. */
function finalizersFor(metadata: ObjectMeta, { propagationPolicy }: DeletionRequest): string[] {
  const stored = metadata.finalizers ?? [];
  if (propagationPolicy === undefined) return stored;
  const wanted = { Orphan: [ORPHAN], Foreground: [FOREGROUND], Background: [] }[propagationPolicy];
  const others = stored.filter((name) => name !== ORPHAN && name !== FOREGROUND);
  const kept = wanted.filter((name) => stored.includes(name));
  return kept.length === wanted.length && others.length + kept.length === stored.length
    ? stored
    : [...others, ...wanted];
}

function withFinalizers(metadata: ObjectMeta, finalizers: string[]): ObjectMeta {
  if (finalizers === metadata.finalizers) return metadata;
  const { finalizers: _, ...rest } = metadata;
  return finalizers.length > 0 ? { ...rest, finalizers } : rest;
}

/** A namespace is Terminating until its controller has emptied it and taken itself out of spec.finalizers. */
function planNamespaceDeletion<T extends KubeObject>(
  current: T,
  request: DeletionRequest,
  nowMs: number,
): DeletionPlan<T> {
  const namespace = current as KubeObject as Namespace;
  const finalizers = finalizersFor(current.metadata, request);
  const waits = finalizers.length > 0 || (namespace.spec?.finalizers ?? []).length > 0;
  if (!waits) return { action: 'remove', object: current };
  if (current.metadata.deletionTimestamp !== undefined) return { action: 'keep', object: current };
  const metadata = withFinalizers(current.metadata, finalizers);
  const terminating = {
    ...namespace,
    metadata: { ...metadata, deletionTimestamp: formatTime(nowMs) },
    status: { ...namespace.status, phase: 'Terminating' },
  };
  return { action: 'mark', object: terminating as KubeObject as T };
}
