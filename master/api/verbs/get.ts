import type { ResourceExchange } from '../exchange.ts';
import { respondObject } from '../output/respond-object.ts';

/** GET of one object. */
export function getObject(exchange: ResourceExchange): void {
  const { info, kind, parts } = exchange;
  const object = parts.registry.get(kind, { namespace: info.namespace, name: info.name });
  respondObject(exchange, 200, object);
}
