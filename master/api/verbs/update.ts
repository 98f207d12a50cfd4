import { type ApiError, invalid, modifiedMeanwhile } from '../../../shared/errors.ts';
import { fieldInvalid } from '../../../shared/meta/field-error.ts';
import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import type { ResourceKind } from '../../../shared/resources/resource-kind.ts';
import { anotherObject } from '../../store/next-object.ts';
import { decodeBody, readBody } from '../body.ts';
import type { ResourceExchange } from '../exchange.ts';
import { addWarnings } from '../output/respond.ts';
import { respondObject } from '../output/respond-object.ts';
import { type CheckedWriteOptions, writeOptions } from '../query/write-options.ts';
import { checkName } from './check-name.ts';
import { distinctOwners } from './distinct-owners.ts';
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
  checkConditional(kind, object, parts.registry.find(kind, key)?.metadata.uid);
  let generation: number | undefined;
  const change = (current: KubeObject) => {
    generation = current.metadata.generation;
    return object;
  };
  const updated = await parts.registry.update(kind, key, change, { ...options, ...uidOf(object) });
  if (updated.metadata.generation !== generation) {
    addWarnings(exchange.res, kind.strategy.warnings?.(updated) ?? []);
  }
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
  const owned = distinctOwners(located);
  addWarnings(res, [...warnings, ...owned.warnings]);
  return owned.object;
}

/** The object that a PUT means: one of the same name that was made anew is another. */
export function uidOf({ metadata }: KubeObject): { uid?: string } {
  return metadata.uid ? { uid: metadata.uid } : {};
}

function checkConditional(
  kind: ResourceKind,
  object: KubeObject,
  stored: string | undefined,
): void {
  if (!NEVER_UNCONDITIONAL.has(kind.plural)) return;
  // Another object than the stored one is the graver fault: the registry refuses it.
  if (object.metadata.uid && object.metadata.uid !== stored) return;
  if ((object.metadata.resourceVersion ?? '') !== '') return;
  throw invalid({ group: kind.group, kind: kind.plural }, object.metadata.name, [
    fieldInvalid(
      'metadata.resourceVersion',
      { goSyntax: '0x0' },
      'must be specified for an update',
    ),
  ]);
}

/** An update that means an object of before: it may not bring it back. */
function staleCreation(kind: ResourceKind, object: KubeObject): ApiError {
  const { uid } = object.metadata;
  return uid
    ? anotherObject(kind, object.metadata, uid)
    : modifiedMeanwhile(kind, object.metadata.name);
}
