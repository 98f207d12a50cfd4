import type { JsonObject, JsonValue } from '../meta/kube-object.ts';
import { decodeBase64, decodeMicroTime, decodeQuantity, decodeTime } from './go-scalars.ts';
import { type Field, type Scalar, type Shape, type TypeSchema, typeSchema } from './schema.ts';
import { fillLeftOut, isLeftOut, zeroOf } from './zero-values.ts';

/**
 * Whose words a mismatch is told in: `json` is Go's JSON decoder, which reads request bodies; `unstructured` the converter that
 * Kubernetes runs after a strategic merge patch.
 */
export type Dialect = 'json' | 'unstructured';

/** A value does not fit its field; the message is the decoder's. */
class DecodeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DecodeError';
  }
}

/**
 * A value as a struct of the named type.
 * @param findings unknown fields are added here, `unknown field "spec.foo"`
 * @throws DecodeError, or ScalarError of go-scalars.ts, for the first value that does not fit
 */
export function decodeStruct(
  typeName: string,
  value: JsonValue,
  findings: string[],
  dialect: Dialect,
): JsonObject {
  const type = typeSchema(typeName);
  const context: Context = { findings, dialect, path: [] };
  if (value !== null && !isObject(value)) {
    throw new DecodeError(
      `json: cannot unmarshal ${kindOf(value)} into Go value of type v1.${type.goName}`,
    );
  }
  return structOf(type, value ?? {}, context);
}

interface Context {
  findings: string[];
  dialect: Dialect;
  /** Field names, list indexes, and map keys behind MAP_KEY. */
  path: (string | number)[];
}

/** Marks a map key in a path: Go's messages about types leave keys and indexes out. */
const MAP_KEY = '\u0000';

/** What a value is decoded for: the struct and field that messages name. */
interface Place {
  struct: TypeSchema;
  field: Field;
}

function structOf(type: TypeSchema, source: JsonObject, context: Context): JsonObject {
  const result: JsonObject = {};
  for (const key of Object.keys(source)) {
    const value = source[key] as JsonValue;
    const field = type.fields.get(key);
    context.path.push(key);
    if (field === undefined) context.findings.push(`unknown field "${strictPath(context.path)}"`);
    else if (value !== null && !(value === '' && isTime(field.shape))) {
      const decoded = decodeValue(field.shape, value, { struct: type, field }, context);
      if (!isLeftOut(field, decoded)) result[key] = decoded;
    }
    context.path.pop();
  }
  fillLeftOut(result, type.filled);
  return result;
}

function decodeValue(shape: Shape, value: JsonValue, place: Place, context: Context): JsonValue {
  switch (shape.kind) {
    case 'scalar':
      return scalarOf(shape.scalar, value, place, context);
    case 'struct':
      if (!isObject(value)) throw mismatch(shape, value, place, context);
      return structOf(typeSchema(shape.type), value, context);
    case 'list':
      if (!Array.isArray(value)) throw mismatch(shape, value, place, context);
      return value.map((item, index) => {
        context.path.push(index);
        const decoded = elementOf(shape.item, item, place, context);
        context.path.pop();
        return decoded;
      });
    case 'map':
      if (!isObject(value)) throw mismatch(shape, value, place, context);
      return mapOf(shape.value, value, place, context);
  }
}

function mapOf(shape: Shape, source: JsonObject, place: Place, context: Context): JsonObject {
  // Keys are the user's: without a prototype, `__proto__` is one like any other.
  const entries = Object.keys(source).map((key): [string, JsonValue] => {
    context.path.push(MAP_KEY + key);
    const decoded = elementOf(shape, source[key] as JsonValue, place, context);
    context.path.pop();
    return [key, decoded];
  });
  return Object.fromEntries(entries);
}

/** In lists and maps a null is the zero value of the element. */
function elementOf(shape: Shape, value: JsonValue, place: Place, context: Context): JsonValue {
  if (value !== null) return decodeValue(shape, value, place, context);
  if (shape.kind === 'struct') return structOf(typeSchema(shape.type), {}, context);
  if (shape.kind === 'list') return [];
  return shape.kind === 'map' ? {} : zeroOf(shape.scalar);
}

function scalarOf(scalar: Scalar, value: JsonValue, place: Place, context: Context): JsonValue {
  switch (scalar) {
    case 'any':
      return value;
    case 'quantity':
      return decodeQuantity(typeof value === 'string' ? value : JSON.stringify(value));
    case 'intOrString':
      if (typeof value === 'string' || isInteger(value, 'int32')) return value;
      break;
    case 'bool':
      if (typeof value === 'boolean') return value;
      break;
    case 'int32':
    case 'int64':
      if (isInteger(value, scalar)) return value;
      break;
    case 'double':
      if (typeof value === 'number') return value;
      break;
    default:
      if (typeof value === 'string') return textOf(scalar, value);
  }
  throw mismatch({ kind: 'scalar', scalar }, value, place, context);
}

function textOf(scalar: Scalar, text: string): string {
  if (scalar === 'bytes') return decodeBase64(text);
  if (scalar === 'time') return decodeTime(text);
  return scalar === 'microTime' ? decodeMicroTime(text) : text;
}

/** Objects that are not stored yet have an empty creationTimestamp here; Go has null. */
function isTime(shape: Shape): boolean {
  return shape.kind === 'scalar' && (shape.scalar === 'time' || shape.scalar === 'microTime');
}

function isInteger(value: JsonValue, scalar: 'int32' | 'int64'): boolean {
  if (typeof value !== 'number' || !Number.isInteger(value)) return false;
  return scalar === 'int64' ? Math.abs(value) <= 2 ** 63 : value === (value | 0);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mismatch(shape: Shape, value: JsonValue, place: Place, context: Context): DecodeError {
  if (context.dialect === 'unstructured')
    return new DecodeError(converterMessage(shape, value, place));
  const isNumberField = shape.kind === 'scalar' && /^(int32|int64|intOrString)$/.test(shape.scalar);
  const what = typeof value === 'number' && isNumberField ? `number ${value}` : kindOf(value);
  const fields = context.path.filter(
    (part) => typeof part === 'string' && !part.startsWith(MAP_KEY),
  );
  return new DecodeError(
    `json: cannot unmarshal ${what} into Go struct field ${place.struct.goName}.${fields.join('.')} of type ${goType(shape, place.field)}`,
  );
}

/** The words of apimachinery's unstructured converter. */
function converterMessage(shape: Shape, value: JsonValue, { field }: Place): string {
  const from = reflectKind(value);
  if (shape.kind === 'struct') return `cannot restore struct from: ${from}`;
  if (shape.kind === 'list') return `cannot restore slice from ${from}`;
  if (shape.kind === 'map') return `cannot restore map from ${from}`;
  const to = goType(shape, field);
  const isConvertible =
    typeof value === 'number' && (shape.scalar === 'string' || /^int/.test(shape.scalar));
  if (isConvertible) return `cannot convert ${from} to ${to}`;
  return `unrecognized type: ${shape.scalar === 'string' ? 'string' : goScalar(shape.scalar)}`;
}

function reflectKind(value: JsonValue): string {
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'object') return 'map';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'boolean' ? 'bool' : 'string';
}

function kindOf(value: JsonValue): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function goType(shape: Shape, field: Field): string {
  switch (shape.kind) {
    case 'scalar':
      return (shape.scalar === 'string' ? field.goName : undefined) ?? goScalar(shape.scalar);
    case 'struct': {
      const [, version = 'v1', name = ''] = shape.type.split('.');
      return `${version}.${name}`;
    }
    case 'list':
      return `[]${goType(shape.item, field)}`;
    case 'map':
      return field.goName ?? `map[string]${goType(shape.value, field)}`;
  }
}

function goScalar(scalar: Scalar): string {
  switch (scalar) {
    case 'bytes':
      return '[]uint8';
    case 'double':
      return 'float64';
    case 'intOrString':
      return 'int32';
    case 'time':
    case 'microTime':
    case 'duration':
      return 'string';
    case 'quantity':
      return 'resource.Quantity';
    default:
      return scalar;
  }
}

/** `spec.containers[0].foo` */
function strictPath(path: readonly (string | number)[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part.replace(MAP_KEY, '')}`))
    .join('')
    .slice(1);
}
