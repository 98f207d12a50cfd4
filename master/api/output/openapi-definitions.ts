import type { JsonObject } from '../../../shared/meta/kube-object.ts';
import type { Gvk } from '../../../shared/schema/gvk.ts';
import descriptions from '../../../shared/schema/kubernetes-descriptions.json' with {
  type: 'json',
};
import { ATOMIC_TYPES, LIST_KEYS } from '../../../shared/schema/list-keys.ts';
import {
  type Field,
  type Scalar,
  type Shape,
  typeNames,
  typeSchema,
} from '../../../shared/schema/schema.ts';

/** Version 2 (Swagger) and version 3 differ in where definitions stand and in what may stand beside a reference. */
export type OpenApiVersion = 'v2' | 'v3';

const TEXTS = descriptions as unknown as {
  types: Record<string, Record<string, number>>;
  texts: string[];
};

/** The definitions of the named types and of everything that they refer to, by their names in OpenAPI. */
export function definitions(
  roots: readonly string[],
  kindsOf: (type: string) => readonly Gvk[],
  version: OpenApiVersion,
): JsonObject {
  const result: Record<string, JsonObject> = {};
  const queue = [...roots];
  for (let type = queue.shift(); type !== undefined; type = queue.shift()) {
    const name = definitionName(type);
    if (result[name] !== undefined) continue;
    result[name] =
      SCALAR_DEFINITIONS[type] ?? structDefinition(type, kindsOf(type), version, queue);
  }
  return Object.fromEntries(Object.entries(result).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `core.v1.Pod` is `io.k8s.api.core.v1.Pod`. */
function definitionName(type: string): string {
  const scalar = SCALAR_NAMES[type as Scalar];
  if (scalar !== undefined) return scalar;
  if (type === PATCH_TYPE) return 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch';
  return type.startsWith('meta.') ? `io.k8s.apimachinery.pkg.apis.${type}` : `io.k8s.api.${type}`;
}

export function reference(type: string, version: OpenApiVersion): JsonObject {
  const prefix = version === 'v2' ? '#/definitions/' : '#/components/schemas/';
  return { $ref: prefix + definitionName(type) };
}

/** The type of a patch's body: any object. */
export const PATCH_TYPE = 'patch';

const SCALAR_NAMES: Partial<Record<Scalar, string>> = {
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  intOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  time: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time',
  microTime: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime',
  duration: 'io.k8s.apimachinery.pkg.apis.meta.v1.Duration',
};

const SCALAR_DEFINITIONS: Readonly<Record<string, JsonObject>> = {
  [PATCH_TYPE]: {
    description: 'A patch, in the form that the content type of the request names.',
    type: 'object',
  },
  quantity: {
    description: 'An amount of a resource, such as 250m or 1.5Gi.',
    type: 'string',
  },
  intOrString: {
    description: 'A number or a string, such as 80 or 25%.',
    type: 'string',
    format: 'int-or-string',
  },
  time: { description: 'A time, as RFC 3339 writes it.', type: 'string', format: 'date-time' },
  microTime: {
    description: 'A time with microseconds, as RFC 3339 writes it.',
    type: 'string',
    format: 'date-time',
  },
  duration: { description: 'A duration, such as 1m30s.', type: 'string' },
};

function structDefinition(
  type: string,
  kinds: readonly Gvk[],
  version: OpenApiVersion,
  queue: string[],
): JsonObject {
  const fields = [...typeSchema(type).fields.values()];
  const required = fields.filter((field) => field.required).map(({ name }) => name);
  const properties = fields.map((field) => [field.name, property(type, field, version, queue)]);
  return {
    ...describe(type, ''),
    type: 'object',
    ...(fields.length === 0 ? {} : { properties: Object.fromEntries(properties) as JsonObject }),
    ...(required.length === 0 ? {} : { required }),
    ...(ATOMIC_TYPES.has(type) ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(kinds.length === 0
      ? {}
      : { 'x-kubernetes-group-version-kind': kinds.map((kind) => ({ ...kind })) }),
  };
}

function property(
  type: string,
  field: Field,
  version: OpenApiVersion,
  queue: string[],
): JsonObject {
  const schema = shapeSchema(field.shape, version, queue);
  const isReference = schema['$ref'] !== undefined;
  return {
    ...describe(type, field.name),
    ...(isReference && version === 'v3' ? { allOf: [schema] } : schema),
    ...extensions(type, field),
  };
}

function shapeSchema(shape: Shape, version: OpenApiVersion, queue: string[]): JsonObject {
  switch (shape.kind) {
    case 'list':
      return { type: 'array', items: shapeSchema(shape.item, version, queue) };
    case 'map':
      return { type: 'object', additionalProperties: shapeSchema(shape.value, version, queue) };
    case 'struct':
      queue.push(shape.type);
      return reference(shape.type, version);
    case 'scalar':
      return scalarSchema(shape.scalar, version, queue);
  }
}

function scalarSchema(scalar: Scalar, version: OpenApiVersion, queue: string[]): JsonObject {
  switch (scalar) {
    case 'string':
      return { type: 'string' };
    case 'bool':
      return { type: 'boolean' };
    case 'int32':
    case 'int64':
      return { type: 'integer', format: scalar };
    case 'double':
      return { type: 'number', format: 'double' };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    case 'any':
      return { type: 'object' };
    case 'quantity':
    case 'intOrString':
    case 'time':
    case 'microTime':
    case 'duration':
      queue.push(scalar);
      return reference(scalar, version);
  }
}

function extensions(type: string, { name, shape }: Field): JsonObject {
  const merge = LIST_KEYS[type]?.[name];
  const listType = shape.kind === 'list' ? (merge?.listType ?? 'atomic') : undefined;
  return {
    ...(merge?.listMapKeys === undefined
      ? {}
      : { 'x-kubernetes-list-map-keys': [...merge.listMapKeys] }),
    ...(listType === undefined ? {} : { 'x-kubernetes-list-type': listType }),
    ...(merge?.mapType === undefined ? {} : { 'x-kubernetes-map-type': merge.mapType }),
    ...(merge?.patchMergeKey === undefined
      ? {}
      : { 'x-kubernetes-patch-merge-key': merge.patchMergeKey }),
    ...(merge?.patchStrategy === undefined
      ? {}
      : { 'x-kubernetes-patch-strategy': merge.patchStrategy }),
  };
}

function describe(type: string, field: string): JsonObject {
  const text = TEXTS.texts[TEXTS.types[type]?.[field] ?? -1];
  return text === undefined || text === '' ? {} : { description: text };
}

/** Types that exist only as the list of a kind: `core.v1.PodList` for `core.v1.Pod`. */
export function listTypeOf(type: string): string | undefined {
  return typeNames().includes(`${type}List`) ? `${type}List` : undefined;
}
