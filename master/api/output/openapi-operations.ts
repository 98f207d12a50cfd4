import { apiVersionOf } from '../../../shared/resources/resource-kind.ts';
import type { Gvk } from '../../../shared/schema/gvk.ts';
import { typeOfKind } from '../../../shared/schema/schema.ts';
import type { DiscoverableKind } from './discovery.ts';
import { listTypeOf, PATCH_TYPE } from './openapi-definitions.ts';
import { SUBRESOURCES } from './subresources.ts';

export interface Parameter {
  name: string;
  in: 'path' | 'query';
  type: 'string' | 'integer' | 'boolean';
  description: string;
}

/** One operation on one path, in neither version's form yet. */
export interface Operation {
  path: string;
  method: 'get' | 'put' | 'post' | 'delete' | 'patch';
  id: string;
  description: string;
  /** x-kubernetes-action. */
  action: string;
  kind: Gvk;
  tag: string;
  /** Of the path, in front of the operation's own. */
  pathParameters: Parameter[];
  parameters: Parameter[];
  /** Type names of the schema; undefined when there is no body. */
  body: string | undefined;
  /** Undefined for plain text. */
  response: string | undefined;
  created: boolean;
}

/** Every operation of a kind, derived from its row in the catalog. */
export function operationsOf(kind: DiscoverableKind): Operation[] {
  const type = typeOfKind(kind);
  if (type === undefined) return [];
  const { group, version, plural } = kind;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const collection = `${root}${kind.namespaced ? '/namespaces/{namespace}' : ''}/${plural}`;
  const everywhere = kind.namespaced
    ? onCollection(kind, type, `${root}/${plural}`, true).filter(({ method }) => method === 'get')
    : [];
  return [
    ...onCollection(kind, type, collection, false),
    ...everywhere,
    ...onObject(kind, type, `${collection}/{name}`),
    ...onSubresources(kind, type, `${collection}/{name}`),
  ];
}

const PRETTY = query('pretty', 'string', "If 'true', the output is indented.");
const DRY_RUN = query(
  'dryRun',
  'string',
  "With 'All', the request is checked and nothing is stored.",
);
const FIELD_MANAGER = query('fieldManager', 'string', 'The name of who makes these changes.');
const FIELD_VALIDATION = query(
  'fieldValidation',
  'string',
  'What unknown and duplicate fields do: Ignore, Warn or Strict.',
);
const WRITE = [DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION];
const FORCE = query('force', 'boolean', 'Takes fields over from other managers (apply patches).');
const LIST = [
  query('allowWatchBookmarks', 'boolean', 'Asks for bookmark events in a watch.'),
  query('continue', 'string', 'Where the page before this one ended.'),
  query('fieldSelector', 'string', 'Restricts the objects by their fields.'),
  query('labelSelector', 'string', 'Restricts the objects by their labels.'),
  query('limit', 'integer', 'The size of a page.'),
  query('resourceVersion', 'string', 'Which state may answer.'),
  query('resourceVersionMatch', 'string', 'How resourceVersion is meant.'),
  query('sendInitialEvents', 'boolean', 'Begins a watch with the state as it is.'),
  query('timeoutSeconds', 'integer', 'Ends the call after this time.'),
  query('watch', 'boolean', 'Streams changes instead of a list.'),
];
const DELETE = [
  DRY_RUN,
  query('gracePeriodSeconds', 'integer', 'How long the object may take to end.'),
  query('orphanDependents', 'boolean', 'Deprecated: use propagationPolicy.'),
  query('propagationPolicy', 'string', 'Orphan, Background or Foreground.'),
];
const LOG = [
  query('container', 'string', 'The container whose log is read.'),
  query('follow', 'boolean', 'Streams what is written from now on.'),
  query('limitBytes', 'integer', 'Ends after this many bytes.'),
  query('previous', 'boolean', 'Reads the log of the container that ran before.'),
  query('sinceSeconds', 'integer', 'Begins this long ago.'),
  query('sinceTime', 'string', 'Begins at this time, as RFC 3339 writes it.'),
  query('tailLines', 'integer', 'Begins this many lines from the end.'),
  query('timestamps', 'boolean', 'Puts the time in front of each line.'),
];

function query(name: string, type: Parameter['type'], description: string): Parameter {
  return { name, in: 'query', type, description };
}

function onCollection(
  kind: DiscoverableKind,
  type: string,
  path: string,
  everywhere: boolean,
): Operation[] {
  const make = maker(kind, path);
  const list = everywhere ? `${kind.kind}ForAllNamespaces` : kind.kind;
  return [
    ...when(kind, 'list', () =>
      make('get', 'list', list, { parameters: LIST, response: listTypeOf(type) ?? type }),
    ),
    ...when(kind, 'create', () =>
      make('post', 'post', kind.kind, {
        parameters: WRITE,
        body: type,
        response: type,
        created: true,
      }),
    ),
    ...when(kind, 'deletecollection', () =>
      make('delete', 'deletecollection', `Collection${kind.kind}`, {
        parameters: [...DELETE, ...LIST.filter(({ name }) => !/watch/i.test(name))],
        body: 'meta.v1.DeleteOptions',
        response: 'meta.v1.Status',
      }),
    ),
  ];
}

function onObject(kind: DiscoverableKind, type: string, path: string): Operation[] {
  const make = maker(kind, path);
  return [
    ...when(kind, 'get', () => make('get', 'get', kind.kind, { response: type })),
    ...when(kind, 'update', () =>
      make('put', 'put', kind.kind, { parameters: WRITE, body: type, response: type }),
    ),
    ...when(kind, 'patch', () =>
      make('patch', 'patch', kind.kind, {
        parameters: [...WRITE, FORCE],
        body: PATCH_TYPE,
        response: type,
      }),
    ),
    ...when(kind, 'delete', () =>
      make('delete', 'delete', kind.kind, {
        parameters: DELETE,
        body: 'meta.v1.DeleteOptions',
        response: 'meta.v1.Status',
      }),
    ),
  ];
}

function onSubresources(kind: DiscoverableKind, type: string, path: string): Operation[] {
  return kind.subresources.flatMap((name) => {
    const { verbs, responseKind } = SUBRESOURCES[name];
    const exchanged = responseKind === undefined ? type : (typeOfKind(responseKind) ?? type);
    const make = maker(responseKind ?? kind, `${path}/${name}`, kind);
    const id = `${kind.kind}${capital(name)}`;
    if (name === 'log') return [make('get', 'get', id, { parameters: LOG })];
    return verbs.map((verb) => onSubresource(make, verb, id, exchanged));
  });
}

function onSubresource(
  make: Make,
  verb: 'create' | 'get' | 'patch' | 'update',
  id: string,
  type: string,
): Operation {
  switch (verb) {
    case 'get':
      return make('get', 'get', id, { response: type });
    case 'create':
      return make('post', 'post', id, {
        parameters: WRITE,
        body: type,
        response: type,
        created: true,
      });
    case 'update':
      return make('put', 'put', id, { parameters: WRITE, body: type, response: type });
    case 'patch':
      return make('patch', 'patch', id, {
        parameters: [...WRITE, FORCE],
        body: PATCH_TYPE,
        response: type,
      });
  }
}

function when(
  kind: DiscoverableKind,
  verb: DiscoverableKind['verbs'][number],
  make: () => Operation,
): Operation[] {
  return kind.verbs.includes(verb) ? [make()] : [];
}

type Make = (
  method: Operation['method'],
  action: string,
  subject: string,
  rest: Partial<Operation>,
) => Operation;

function maker(exchanged: Gvk, path: string, owner: DiscoverableKind | Gvk = exchanged): Make {
  const { group, version, kind } = exchanged;
  const tag = apiVersionOf(owner).replaceAll(/[^a-zA-Z0-9]+(.)?/g, (_, next?: string) =>
    next === undefined ? '' : next.toUpperCase(),
  );
  const scope = path.includes('{namespace}') ? 'Namespaced' : '';
  return (method, action, subject, rest) => ({
    path,
    method,
    id: `${ID_VERBS[action] ?? action}${capital(tag)}${scope}${subject}`,
    description: `${action} ${kind}`,
    action,
    kind: { group, version, kind },
    tag,
    pathParameters: [...pathParameters(path), PRETTY],
    parameters: [],
    body: undefined,
    response: undefined,
    created: false,
    ...rest,
  });
}

const ID_VERBS: Readonly<Record<string, string>> = {
  post: 'create',
  put: 'replace',
  get: 'read',
  deletecollection: 'delete',
};

function pathParameters(path: string): Parameter[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    type: 'string',
    description: name === 'namespace' ? 'The namespace.' : 'The name of the object.',
  }));
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
