import type { ResourceExchange } from '../exchange.ts';
import { respondObject } from '../output/respond-object.ts';
import { writeOptions } from '../query/write-options.ts';
import { putObject, uidOf } from '../verbs/update.ts';

/** PUT of namespaces/NAME/finalize: writes spec.finalizers; a namespace that is being deleted goes with the last of them. */
export async function finalizeNamespace(exchange: ResourceExchange): Promise<void> {
  const { info, kind, parts, query } = exchange;
  const options = writeOptions(query, 'UpdateOptions');
  const object = await putObject(exchange, options);
  const key = { namespace: '', name: info.name };
  const updated = await parts.registry.update(kind, key, () => object, {
    ...options,
    ...uidOf(object),
    subresource: 'finalize',
  });
  respondObject(exchange, 200, updated);
}
