import type { Verb } from '../../shared/resources/resource-kind.ts';
import { isTrue } from './query/flag.ts';

/** A request for an object or a list of them: `/api/v1/…` or `/apis/<group>/<version>/…`. */
export interface ResourceRequest {
  isResource: true;
  path: string;
  verb: Verb;
  group: string;
  version: string;
  /** '' for cluster-scoped resources and for lists over all namespaces. */
  namespace: string;
  resource: string;
  /** '' when there is none. */
  subresource: string;
  /** '' for lists and creations. */
  name: string;
}

/** Everything else: discovery, health, `/skerry/v1/…`; the verb is the method in lower case. */
interface PathRequest {
  isResource: false;
  path: string;
  verb: string;
}

export type RequestInfo = ResourceRequest | PathRequest;

const VERB_OF_METHOD: Readonly<Record<string, Verb>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Subresources of a namespace itself; any other third part is a resource inside it. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

/**
 * Names what a request asks for, as the API server's request info does (k8s.io/apiserver endpoints/request). `path` is the
 * decoded path without the query. A path with more parts than Kubernetes has is a PathRequest, so it ends as 404.
 */
export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const parts = path.split('/').filter((part) => part !== '');
  const verb = VERB_OF_METHOD[method];
  const root = groupVersionOf(parts);
  if (root === undefined || verb === undefined) {
    return { isResource: false, path, verb: method.toLowerCase() };
  }
  let rest = root.rest;
  let watchPrefix = false;
  if (rest[0] === 'watch' && rest.length > 1 && verb === 'get') {
    watchPrefix = true;
    rest = rest.slice(1);
  }
  const target = targetOf(rest);
  if (target === undefined) return { isResource: false, path, verb: method.toLowerCase() };
  return {
    isResource: true,
    path,
    verb: refineVerb(verb, target.name, watchPrefix || isTrue(query.get('watch'))),
    group: root.group,
    version: root.version,
    ...target,
  };
}

function groupVersionOf(
  parts: readonly string[],
): { group: string; version: string; rest: string[] } | undefined {
  if (parts[0] === 'api' && parts[1] !== undefined && parts.length > 2) {
    return { group: '', version: parts[1], rest: parts.slice(2) };
  }
  if (parts[0] === 'apis' && parts[1] !== undefined && parts[2] !== undefined && parts.length > 3) {
    return { group: parts[1], version: parts[2], rest: parts.slice(3) };
  }
  return undefined;
}

function targetOf(
  rest: readonly string[],
): { namespace: string; resource: string; name: string; subresource: string } | undefined {
  const [first = '', second = '', third = ''] = rest;
  if (first === 'namespaces' && rest.length >= 3 && !NAMESPACE_SUBRESOURCES.has(third)) {
    if (rest.length > 5) return undefined;
    return {
      namespace: second,
      resource: third,
      name: rest[3] ?? '',
      subresource: rest[4] ?? '',
    };
  }
  if (rest.length > 3) return undefined;
  const namespace = first === 'namespaces' ? second : '';
  return { namespace, resource: first, name: second, subresource: third };
}

function refineVerb(verb: Verb, name: string, watch: boolean): Verb {
  if (verb === 'get' && watch) return 'watch';
  if (name !== '') return verb;
  if (verb === 'get') return 'list';
  return verb === 'delete' ? 'deletecollection' : verb;
}
