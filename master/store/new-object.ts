import { ApiError, badRequest } from '../../shared/errors.ts';
import type { KubeObject } from '../../shared/meta/kube-object.ts';
import { formatTime } from '../../shared/meta/time.ts';
import { apiVersionOf, type ResourceKind } from '../../shared/resources/resource-kind.ts';

/** Stamps what only the registry may set, and drops what no client may (rest.BeforeCreate). */
export function stampNewObject<T extends KubeObject>(
  kind: ResourceKind<T>,
  object: T,
  stamp: { uid: string; nowMs: number },
): T {
  const { namespace, resourceVersion } = object.metadata;
  if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== '0') {
    throw new ApiError(
      'InternalError',
      'resourceVersion should not be set on objects to be created',
    );
  }
  if (kind.namespaced && !namespace) {
    throw badRequest('an empty namespace may not be set during creation');
  }
  const metadata = { ...object.metadata };
  metadata.uid = stamp.uid;
  metadata.creationTimestamp = formatTime(stamp.nowMs);
  metadata.resourceVersion = '';
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  if (!kind.namespaced) delete metadata.namespace;
  return { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata };
}
