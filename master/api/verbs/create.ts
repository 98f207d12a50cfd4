import { badRequest } from '../../../shared/errors.ts';
import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import { decodeBody, readBody } from '../body.ts';
import type { ResourceExchange } from '../exchange.ts';
import { addWarnings } from '../output/respond.ts';
import { respondObject } from '../output/respond-object.ts';
import { writeOptions } from '../query/write-options.ts';
import type { ResourceRequest } from '../request-info.ts';

/** POST of an object to its collection: 201 with the object as it is stored. */
export async function createObject(exchange: ResourceExchange): Promise<void> {
  const { info, kind, parts, req, res, query } = exchange;
  const options = writeOptions(query, 'CreateOptions');
  const body = await readBody(req);
  const contentType = req.headers['content-type'];
  const { object, warnings } = decodeBody(kind, contentType, body, options.fieldValidation);
  addWarnings(res, warnings);
  const created = await parts.registry.create(kind, inNamespace(info, object), options);
  respondObject(exchange, 201, created);
}

/** The object in the namespace of the request; one that names another is refused. */
export function inNamespace<T extends KubeObject>(
  info: Pick<ResourceRequest, 'namespace' | 'resource'>,
  object: T,
): T {
  const requested = info.resource === 'namespaces' ? '' : info.namespace;
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
