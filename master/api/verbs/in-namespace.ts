import { badRequest } from '../../../shared/errors.ts';
import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import type { ResourceRequest } from '../request-info.ts';

/**
 * The object in the namespace of the request: filled in when it names none, taken away from a cluster-scoped one.
 * Throws BadRequest when it names another.
 */
export function inNamespace<T extends KubeObject>(
  { namespace: requested }: Pick<ResourceRequest, 'namespace'>,
  object: T,
): T {
  const own = object.metadata.namespace ?? '';
  if (own === requested) return object;
  if (own !== '' && requested !== '') {
    throw badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  }
  const { namespace: _, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: requested === '' ? metadata : { ...metadata, namespace: requested },
  };
}
