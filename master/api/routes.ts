import { ApiError } from '../../shared/errors.ts';
import type { ResourceKind, Verb } from '../../shared/resources/resource-kind.ts';
import type { Handler } from './exchange.ts';
import { PageNotFound } from './output/page-not-found.ts';
import type { ResourceRequest } from './request-info.ts';
import { SUBRESOURCE_HANDLERS } from './subresources/all-subresources.ts';
import { createObject } from './verbs/create.ts';
import { deleteObject } from './verbs/delete.ts';
import { deleteCollection } from './verbs/delete-collection.ts';
import { getObject } from './verbs/get.ts';
import { listObjects } from './verbs/list.ts';
import { patchObject } from './verbs/patch.ts';
import { updateObject } from './verbs/update.ts';
import { watchObjects } from './verbs/watch.ts';

const VERB_HANDLERS: Readonly<Record<Verb, Handler>> = {
  get: getObject,
  list: listObjects,
  watch: watchObjects,
  create: createObject,
  update: updateObject,
  patch: patchObject,
  delete: deleteObject,
  deletecollection: deleteCollection,
};

interface Route {
  kind: ResourceKind;
  handler: Handler;
}

/**
 * The catalog row and the handler of a request.
 * @throws ApiError NotFound (no such resource), MethodNotAllowed; PageNotFound (no such group version)
 */
export function routeOf(kinds: readonly ResourceKind[], info: ResourceRequest): Route {
  const kind = kinds.find(
    (row) =>
      row.plural === info.resource && row.group === info.group && row.version === info.version,
  );
  if (kind === undefined) {
    const isServed = kinds.some(
      ({ group, version }) => group === info.group && version === info.version,
    );
    throw isServed ? unknownResource() : new PageNotFound();
  }
  if (!isInScope(kind, info)) throw unknownResource();
  return {
    kind,
    handler: info.subresource === '' ? verbHandler(kind, info) : subHandler(kind, info),
  };
}

export function unknownResource(): ApiError {
  return new ApiError('NotFound', 'the server could not find the requested resource', {});
}

export function methodNotAllowed(): ApiError {
  return new ApiError(
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );
}

/** One object of a namespaced kind is only found within its namespace; a cluster-scoped kind never is. */
function isInScope(kind: ResourceKind, info: ResourceRequest): boolean {
  if (!kind.namespaced) return info.namespace === '' || info.resource === 'namespaces';
  return info.namespace !== '' || info.name === '';
}

function verbHandler(kind: ResourceKind, info: ResourceRequest): Handler {
  const needsName = info.verb !== 'create';
  const needsNamespace = ['create', 'deletecollection'].includes(info.verb) && kind.namespaced;
  const isCollectionVerb = ['create', 'deletecollection', 'list', 'watch'].includes(info.verb);
  if (!kind.verbs.includes(info.verb)) throw methodNotAllowed();
  if (!isCollectionVerb && needsName && info.name === '') throw methodNotAllowed();
  if (info.verb === 'create' && info.name !== '') throw methodNotAllowed();
  if (needsNamespace && info.namespace === '') throw methodNotAllowed();
  return VERB_HANDLERS[info.verb];
}

function subHandler(kind: ResourceKind, info: ResourceRequest): Handler {
  const subresource = kind.subresources.find((name) => name === info.subresource);
  if (subresource === undefined || info.name === '') throw unknownResource();
  const handler = SUBRESOURCE_HANDLERS[subresource][info.verb];
  if (handler === undefined) throw methodNotAllowed();
  return handler;
}
