import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import type { ResourceKind } from '../../../shared/resources/resource-kind.ts';
import type { ResourceExchange } from '../exchange.ts';
import { respondJson } from '../output/respond.ts';
import { respondObject } from '../output/respond-object.ts';
import { successStatus } from '../output/status.ts';
import { deleteOptions } from '../query/delete-options.ts';

/** The kinds whose deletion answers with the object even when it is gone (ReturnDeletedObject upstream). */
const RETURNED_WHEN_GONE = new Set([
  'persistentvolumeclaims',
  'persistentvolumes',
  'pods',
  'podtemplates',
  'resourcequotas',
  'serviceaccounts',
  'services',
]);

/** DELETE of one object: a Status with its uid when it is gone, the object when it stays for its grace or its finalizers. */
export async function deleteObject(exchange: ResourceExchange): Promise<void> {
  const { info, kind, parts } = exchange;
  const options = await deleteOptions(exchange);
  const key = { namespace: info.namespace, name: info.name };
  const { object, gone } = await parts.registry.delete(kind, key, options);
  if (gone && !RETURNED_WHEN_GONE.has(kind.plural)) {
    respondJson(exchange, 200, statusOf(kind, object));
    return;
  }
  respondObject(exchange, !gone && options.isOldBackground ? 202 : 200, object);
}

function statusOf(kind: ResourceKind, { metadata }: KubeObject): object {
  return successStatus({
    name: metadata.name,
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.plural,
    uid: metadata.uid ?? '',
  });
}
