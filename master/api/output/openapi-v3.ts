import type { JsonObject } from '../../../shared/meta/kube-object.ts';
import type { DiscoverableKind } from './discovery.ts';
import { definitions, reference } from './openapi-definitions.ts';
import { type Operation, operationsOf, type Parameter } from './openapi-operations.ts';
import { kindsOfType, rootTypes } from './openapi-roots.ts';

/** The OpenAPI 3.0 document of the kinds of one group version. */
export function openApiV3(kinds: readonly DiscoverableKind[], version: string): JsonObject {
  const operations = kinds.flatMap(operationsOf);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version },
    paths: paths(operations),
    components: {
      schemas: definitions(rootTypes(kinds, operations), (type) => kindsOfType(kinds, type), 'v3'),
      securitySchemes: {
        BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' },
      },
    },
  };
}

function paths(operations: readonly Operation[]): JsonObject {
  const result: Record<string, JsonObject> = {};
  for (const operation of operations) {
    const item = result[operation.path] ?? { parameters: operation.pathParameters.map(parameter) };
    item[operation.method] = operationObject(operation);
    result[operation.path] = item;
  }
  return result;
}

function operationObject(operation: Operation): JsonObject {
  return {
    tags: [operation.tag],
    description: operation.description,
    operationId: operation.id,
    ...(operation.parameters.length === 0
      ? {}
      : { parameters: operation.parameters.map(parameter) }),
    ...(operation.body === undefined
      ? {}
      : {
          requestBody: {
            content: contents(bodyTypes(operation), reference(operation.body, 'v3')),
            ...(operation.method === 'delete' ? {} : { required: true }),
          },
        }),
    responses: responses(operation),
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': { ...operation.kind },
  };
}

function responses(operation: Operation): JsonObject {
  const { response } = operation;
  const content =
    response === undefined
      ? contents(['text/plain'], { type: 'string' })
      : contents(RESPONSE_TYPES, reference(response, 'v3'));
  return {
    '200': { description: 'OK', content },
    ...(operation.created ? { '201': { description: 'Created', content } } : {}),
    '401': { description: 'Unauthorized' },
  };
}

const RESPONSE_TYPES = ['application/json'];
const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

function bodyTypes({ method }: Operation): string[] {
  if (method === 'patch') return PATCH_TYPES;
  return ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
}

function contents(types: readonly string[], schema: JsonObject): JsonObject {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

function parameter({ name, in: place, type, description }: Parameter): JsonObject {
  return {
    name,
    in: place,
    description,
    ...(place === 'path' ? { required: true } : {}),
    schema: { type, uniqueItems: true },
  };
}
