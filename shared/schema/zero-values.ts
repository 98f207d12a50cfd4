import type { JsonObject, JsonValue } from '../meta/kube-object.ts';
import { type Field, type Scalar, typeSchema } from './schema.ts';

/** Adds what Go's structs have even where it was left out: structs held by value, and required scalars as zeros. */
export function fillLeftOut(object: JsonObject, filled: readonly Field[]): void {
  for (const field of filled) {
    if (object[field.name] === undefined) object[field.name] = emptyValue(field);
  }
}

/** Whether Go leaves the field out when it prints the object: an empty value with `omitempty`. */
export function isLeftOut(field: Field, value: JsonValue): boolean {
  if (field.keepsZero) return false;
  if (value === '' || value === 0 || value === false) return true;
  if (field.shape.kind === 'list') return (value as JsonValue[]).length === 0;
  return field.shape.kind === 'map' && Object.keys(value as JsonObject).length === 0;
}

/** The value that Go's zero value of a scalar prints as. */
export function zeroOf(scalar: Scalar): JsonValue {
  switch (scalar) {
    case 'string':
    case 'bytes':
      return '';
    case 'bool':
      return false;
    case 'quantity':
      return '0';
    case 'duration':
      return '0s';
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0;
    case 'time':
    case 'microTime':
    case 'any':
      return null;
  }
}

function emptyStruct(type: string): JsonObject {
  const object: JsonObject = {};
  fillLeftOut(object, typeSchema(type).filled);
  return object;
}

function emptyValue({ shape }: Field): JsonValue {
  switch (shape.kind) {
    case 'struct':
      return emptyStruct(shape.type);
    case 'list':
      return [];
    case 'map':
      return {};
    case 'scalar':
      return zeroOf(shape.scalar);
  }
}
