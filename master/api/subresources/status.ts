import type { ResourceExchange } from '../exchange.ts';
import { respondObject } from '../output/respond-object.ts';
import { writeOptions } from '../query/write-options.ts';
import { applyToObject } from '../verbs/patch.ts';
import { putObject, uidOf } from '../verbs/update.ts';

/** PUT of an object's status: the rest of the object is ignored. */
export async function updateStatus(exchange: ResourceExchange): Promise<void> {
  const { info, kind, parts, query } = exchange;
  const options = writeOptions(query, 'UpdateOptions');
  const object = await putObject(exchange, options);
  const key = { namespace: info.namespace, name: info.name };
  const updated = await parts.registry.update(kind, key, () => object, {
    ...options,
    ...uidOf(object),
    subresource: 'status',
  });
  respondObject(exchange, 200, updated);
}

/** PATCH of an object's status: what the patch changes elsewhere is ignored. */
export async function patchStatus(exchange: ResourceExchange): Promise<void> {
  await applyToObject(exchange, 'status');
}
