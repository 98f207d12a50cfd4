import { decodeBody, readBody } from '../body.ts';
import type { ResourceExchange } from '../exchange.ts';
import { addWarnings } from '../output/respond.ts';
import { respondObject } from '../output/respond-object.ts';
import { writeOptions } from '../query/write-options.ts';
import { distinctOwners } from './distinct-owners.ts';
import { inNamespace } from './in-namespace.ts';

/** POST of an object to its collection: 201 with the object as it is stored. */
export async function createObject(exchange: ResourceExchange): Promise<void> {
  const { info, kind, parts, req, res, query } = exchange;
  const options = writeOptions(query, 'CreateOptions');
  const body = await readBody(req);
  const contentType = req.headers['content-type'];
  const { object, warnings } = decodeBody(kind, contentType, body, options.fieldValidation);
  const owned = distinctOwners(inNamespace(info, object));
  addWarnings(res, [...warnings, ...owned.warnings]);
  const created = await parts.registry.create(kind, owned.object, options);
  addWarnings(res, kind.strategy.warnings?.(created) ?? []);
  respondObject(exchange, 201, created);
}
