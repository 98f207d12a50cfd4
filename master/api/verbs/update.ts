import { type ApiError, invalid, modifiedMeanwhile } from '../../../shared/errors.ts';
import { fieldInvalid } from '../../../shared/meta/field-error.ts';
import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import type { ResourceKind } from '../../../shared/resources/resource-kind.ts';
import { decodeBody, readBody } from '../body.ts';
import type { ResourceExchange } from '../exchange.ts';
import { addWarnings } from '../output/respond.ts';
import { respondObject } from '../output/respond-object.ts';
import { type CheckedWriteOptions, writeOptions } from '../query/write-options.ts';
import { checkName } from './check-name.ts';
import { inNamespace } from './in-namespace.ts';

/** The kinds whose PUT also creates (AllowCreateOnUpdate of their strategies upstream). */
const CREATED_BY_UPDATE = new Set(['endpoints', 'events', 'leases', 'limitranges', 'services']);

/** The kinds whose PUT must say which version it changes (AllowUnconditionalUpdate is false upstream). */
const NEVER_UNCONDITIONAL = new Set(['leases']);

/** PUT of a whole object. */
export async function updateObject(exchange: ResourceExchange): Promise<void> {
  const { kind, parts, query } = exchange;
  const options = writeOptions(query, 'UpdateOptions');
  const object = await putObject(exchange, options);
  const key = { namespace: object.metadata.namespace ?? '', name: object.metadata.name };
  if (CREATED_BY_UPDATE.has(kind.plural) && parts.registry.find(kind, key) === undefined) {
    if ((object.metadata.uid ?? '') !== '' || (object.metadata.resourceVersion ?? '') !== '') {
      throw staleCreation(kind, object);
    }
    respondObject(exchange, 201, await parts.registry.create(kind, object, options));
    return;
  }
  checkConditional(kind, object);
  const updated = await parts.registry.update(kind, key, () => object, {
    ...options,
    ...uidOf(object),
  });
  respondObject(exchange, 200, updated);
}

/** The decoded body of a PUT, which must be the object of the path. Writes the warnings of its decoding. */
export async function putObject(
  exchange: ResourceExchange,
  options: CheckedWriteOptions,
): Promise<KubeObject> {
  const { info, kind, req, res } = exchange;
  const body = await readBody(req);
  const contentType = req.headers['content-type'];
  const { object, warnings } = decodeBody(kind, contentType, body, options.fieldValidation);
  const located = inNamespace(info, object);
  checkName(info.name, located.metadata.name);
  addWarnings(res, warnings);
  return located;
}

/** The object that a PUT means: one of the same name that was made anew is another. */
export function uidOf({ metadata }: KubeObject): { uid?: string } {
  return metadata.uid ? { uid: metadata.uid } : {};
}

function checkConditional(kind: ResourceKind, object: KubeObject): void {
  if (!NEVER_UNCONDITIONAL.has(kind.plural)) return;
  if ((object.metadata.resourceVersion ?? '') !== '') return;
  throw invalid(kind, object.metadata.name, [
    fieldInvalid(
      'metadata.resourceVersion',
      { goSyntax: '0x0' },
      'must be specified for an update',
    ),
  ]);
}

/** An update that means an object of before: it may not bring it back. */
function staleCreation(kind: ResourceKind, object: KubeObject): ApiError {
  return modifiedMeanwhile(kind, object.metadata.name);
}
