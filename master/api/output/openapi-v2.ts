import type { JsonObject } from '../../../shared/meta/kube-object.ts';
import type { DiscoverableKind } from './discovery.ts';
import { definitions, reference } from './openapi-definitions.ts';
import { type Operation, operationsOf, type Parameter } from './openapi-operations.ts';
import { kindsOfType, rootTypes } from './openapi-roots.ts';

/** The Swagger 2.0 document of all kinds, which kubectl up to 1.28 reads before it writes anything. */
export function openApiV2(kinds: readonly DiscoverableKind[], version: string): JsonObject {
  const operations = kinds.flatMap(operationsOf);
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version },
    paths: paths(operations),
    definitions: definitions(
      rootTypes(kinds, operations),
      (type) => kindsOfType(kinds, type),
      'v2',
    ),
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
  const { body, response } = operation;
  const bodyParameter =
    body === undefined
      ? []
      : [{ name: 'body', in: 'body', required: true, schema: reference(body, 'v2') }];
  return {
    description: operation.description,
    consumes:
      operation.method === 'patch'
        ? [
            'application/json-patch+json',
            'application/merge-patch+json',
            'application/strategic-merge-patch+json',
          ]
        : ['*/*'],
    produces: response === undefined ? ['text/plain'] : ['application/json'],
    schemes: ['https'],
    tags: [operation.tag],
    operationId: operation.id,
    parameters: [...bodyParameter, ...operation.parameters.map(parameter)],
    responses: responses(operation),
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': { ...operation.kind },
  };
}

function responses({ response, created }: Operation): JsonObject {
  const schema = response === undefined ? { type: 'string' } : reference(response, 'v2');
  return {
    '200': { description: 'OK', schema },
    ...(created ? { '201': { description: 'Created', schema } } : {}),
    '401': { description: 'Unauthorized' },
  };
}

function parameter({ name, in: place, type, description }: Parameter): JsonObject {
  return {
    uniqueItems: true,
    type,
    description,
    name,
    in: place,
    ...(place === 'path' ? { required: true } : {}),
  };
}
