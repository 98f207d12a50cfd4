import { ApiError, conflict, invalid, modifiedMeanwhile } from '../../shared/errors.ts';
import type { FieldError } from '../../shared/meta/field-error.ts';
import type { KubeObject } from '../../shared/meta/kube-object.ts';
import { validateKubeFinalizer, validateObjectMetaUpdate } from '../../shared/meta/object-meta.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Namespace, ObjectMeta } from '../../shared/schema/kubernetes-types.ts';

/** Where Kubernetes keeps the kinds whose folder is not their name; messages show it. */
const STORAGE_FOLDERS: Readonly<Record<string, string>> = {
  nodes: 'minions',
  services: 'services/specs',
};

export type UpdatedSubresource = 'status' | 'finalize' | 'binding' | undefined;

/** A uid that the writer expects and the stored object has not. */
export function checkUid(kind: ResourceKind, current: KubeObject, uid: string | undefined): void {
  if (uid === undefined || uid === '' || uid === current.metadata.uid) return;
  throw anotherObject(kind, current.metadata, uid);
}

/** The conflict of a write that means an object with another uid than the stored one, or one that is gone. */
export function anotherObject(
  kind: ResourceKind,
  { name, namespace, uid: stored = '' }: { name: string; namespace?: string; uid?: string },
  uid: string,
): ApiError {
  const folder = STORAGE_FOLDERS[kind.plural] ?? kind.plural;
  const path = ['/registry', folder, ...(namespace ? [namespace] : []), name].join('/');
  return conflict(
    kind,
    name,
    `StorageError: invalid object, Code: 4, Key: ${path}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${stored}`,
  );
}

/**
 * What is stored when `next` replaces `current`: stamps kept, the kind's rules for the subresource applied. Throws Conflict for a
 * stale resourceVersion. Not validated yet.
 */
export function prepareNext<T extends KubeObject>(
  kind: ResourceKind<T>,
  next: T,
  current: T,
  subresource: UpdatedSubresource,
): T {
  const { resourceVersion } = next.metadata;
  if (resourceVersion && !/^\d+$/.test(resourceVersion)) {
    const quoted = JSON.stringify(resourceVersion);
    throw new ApiError('InternalError', `strconv.ParseUint: parsing ${quoted}: invalid syntax`);
  }
  if (resourceVersion && resourceVersion !== current.metadata.resourceVersion) {
    throw modifiedMeanwhile(kind, current.metadata.name);
  }
  const kept = { ...next, apiVersion: current.apiVersion, kind: current.kind };
  return applyStrategy(
    kind,
    { ...kept, metadata: keptMetadata(next.metadata, current.metadata) },
    current,
    subresource,
  );
}

/** Throws Invalid with every finding, each message once. */
export function validateNext<T extends KubeObject>(
  kind: ResourceKind<T>,
  next: T,
  current: T,
  subresource: UpdatedSubresource,
): void {
  const { strategy } = kind;
  const errors = validateObjectMetaUpdate(next.metadata, current.metadata);
  if (subresource === undefined) errors.push(...strategy.validateUpdate(next, current));
  if (subresource === 'status')
    errors.push(...(strategy.validateStatusUpdate?.(next, current) ?? []));
  if (subresource === 'finalize') errors.push(...finalizerErrors(next));
  const distinct = new Map(errors.map((error) => [`${error.field}: ${error.message}`, error]));
  if (distinct.size > 0) throw invalid(kind, current.metadata.name, [...distinct.values()]);
}

function applyStrategy<T extends KubeObject>(
  kind: ResourceKind<T>,
  next: T,
  current: T,
  subresource: UpdatedSubresource,
): T {
  const { strategy } = kind;
  switch (subresource) {
    case undefined:
      return strategy.default(strategy.prepareForUpdate(next, current));
    case 'status':
      if (!strategy.prepareForStatusUpdate) throw noSubresource();
      return strategy.prepareForStatusUpdate(next, current);
    case 'finalize':
      return finalized(next, current);
    case 'binding':
      // Whoever binds changes the node and the condition that says so; no rule of the kind looks at it (as pods/binding upstream).
      return next;
  }
}

function finalizerErrors(next: KubeObject): FieldError[] {
  const { finalizers = [] } = (next as Namespace).spec ?? {};
  return finalizers.flatMap((finalizer, index) =>
    validateKubeFinalizer(finalizer, `spec.finalizers[${index}]`),
  );
}

/** `namespaces/finalize` writes spec.finalizers; the plain update does not. */
function finalized<T extends KubeObject>(next: T, current: T): T {
  if (current.kind !== 'Namespace') throw noSubresource();
  const { finalizers } = (next as KubeObject as Namespace).spec ?? {};
  const { spec, ...rest } = current as KubeObject as Namespace;
  const kept = {
    ...rest,
    metadata: next.metadata,
    spec: { ...spec, finalizers: finalizers ?? [] },
  };
  return kept as KubeObject as T;
}

function noSubresource(): ApiError {
  return new ApiError('NotFound', 'the server could not find the requested resource');
}

/** Stamps are kept whatever the client sent (rest.BeforeUpdate). */
function keptMetadata(next: ObjectMeta, current: ObjectMeta): ObjectMeta {
  const metadata = { ...next };
  metadata.uid ||= current.uid;
  metadata.creationTimestamp = current.creationTimestamp;
  metadata.resourceVersion = current.resourceVersion;
  delete metadata.selfLink;
  if (current.generation === undefined) delete metadata.generation;
  else metadata.generation = current.generation;
  if (current.deletionTimestamp !== undefined)
    metadata.deletionTimestamp = current.deletionTimestamp;
  if (current.deletionGracePeriodSeconds !== undefined) {
    metadata.deletionGracePeriodSeconds ??= current.deletionGracePeriodSeconds;
  }
  return metadata;
}
