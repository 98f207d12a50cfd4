import { ApiError, badRequest } from '../errors.ts';
import type { JsonObject, JsonValue, KubeObject } from '../meta/kube-object.ts';
import { asKubeObject, DELETE_OPTIONS } from './decode-json.ts';
import { parseJsonText } from './go-json-text.ts';
import { decodeQuantity } from './go-scalars.ts';
import type { Gvk } from './gvk.ts';
import type { DeleteOptions } from './kubernetes-types.ts';
import { cannotBeHandled, checkGvk, unrecognized } from './object-kind.ts';
import { ProtobufError, ProtobufReader, type WireType } from './protobuf-reader.ts';
import {
  type Field,
  type Scalar,
  type Shape,
  type TypeSchema,
  typeOfKind,
  typeSchema,
} from './schema.ts';
import { fillLeftOut, isLeftOut, zeroOf } from './zero-values.ts';

/**
 * Decodes a body of `application/vnd.kubernetes.protobuf`, the form in which kubectl ≥ 1.32 and Go clients send built-in kinds:
 * `k8s\0`, then a runtime.Unknown with the kind and the object's bytes. The result is what decodeJson gives for the same object.
 * @throws ApiError BadRequest
 */
export function decodeProtobuf(kind: Gvk, body: Uint8Array): KubeObject {
  const type = typeOfKind(kind);
  if (type === undefined) throw new ApiError('InternalError', `the schema has no ${kind.kind}`);
  const { apiVersion, kind: bodyKind, raw } = openEnvelope(kind, body);
  const actual = withDefaults(apiVersion, bodyKind, kind);
  checkGvk(kind, actual);
  return asKubeObject(kind, decodeRaw(kind, actual, type, raw));
}

/**
 * The options in the protobuf body of a delete request; an empty body has none.
 * @throws ApiError BadRequest
 */
export function decodeProtobufDeleteOptions(body: Uint8Array): Partial<DeleteOptions> {
  if (body.length === 0) return {};
  const { raw } = openEnvelope(DELETE_OPTIONS, body);
  return decodeRaw(DELETE_OPTIONS, DELETE_OPTIONS, 'meta.v1.DeleteOptions', raw);
}

const MAGIC = [0x6b, 0x38, 0x73, 0x00];
/** No type of Kubernetes nests deeper, but a message can say that it does. */
const MAX_DEPTH = 100;

interface Envelope {
  apiVersion: string;
  kind: string;
  raw: Uint8Array;
}

/** runtime.Unknown: typeMeta = 1 {apiVersion = 1, kind = 2}, raw = 2, contentEncoding = 3, contentType = 4. */
function openEnvelope(kind: Gvk, body: Uint8Array): Envelope {
  if (!MAGIC.every((byte, index) => body[index] === byte)) {
    const why =
      body.length === 0
        ? 'empty data'
        : 'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]';
    throw badRequest(unrecognized(kind, why, body));
  }
  const envelope: Envelope = { apiVersion: '', kind: '', raw: new Uint8Array() };
  try {
    readFields(body.subarray(MAGIC.length), (number, wireType, reader) => {
      if (wireType !== 2) return false;
      if (number === 1) readTypeMeta(reader.content(), envelope);
      else if (number === 2) envelope.raw = reader.content();
      else return false;
      return true;
    });
  } catch (error) {
    throw badRequest(unrecognized(kind, messageOf(error), body));
  }
  return envelope;
}

function readTypeMeta(bytes: Uint8Array, envelope: Envelope): void {
  readFields(bytes, (number, wireType, reader) => {
    if (wireType !== 2 || number > 2) return false;
    const text = textDecoder.decode(reader.content());
    if (number === 1) envelope.apiVersion = text;
    else envelope.kind = text;
    return true;
  });
}

function withDefaults(apiVersion: string, bodyKind: string, expected: Gvk): Gvk {
  const slash = apiVersion.indexOf('/');
  return {
    group: apiVersion === '' ? expected.group : apiVersion.slice(0, Math.max(slash, 0)),
    version: apiVersion === '' ? expected.version : apiVersion.slice(slash + 1),
    kind: bodyKind === '' ? expected.kind : bodyKind,
  };
}

function decodeRaw(kind: Gvk, actual: Gvk, type: string, raw: Uint8Array): JsonObject {
  try {
    return decodeMessage(typeSchema(type), raw, 0);
  } catch (error) {
    throw badRequest(cannotBeHandled(kind, actual, messageOf(error)));
  }
}

function decodeMessage(type: TypeSchema, bytes: Uint8Array, depth: number): JsonObject {
  const object: JsonObject = {};
  decodeInto(object, type, bytes, depth);
  for (const field of type.fields.values()) {
    const value = object[field.name];
    if (value === null || (value !== undefined && isLeftOut(field, value))) {
      delete object[field.name];
    }
  }
  fillLeftOut(object, type.filled);
  return object;
}

function decodeInto(object: JsonObject, type: TypeSchema, bytes: Uint8Array, depth: number): void {
  if (depth > MAX_DEPTH) throw new ProtobufError('proto: exceeded max depth');
  readFields(bytes, (number, wireType, reader) => {
    const field = type.byNumber.get(number);
    if (field === undefined) return false;
    if (field.embedded) {
      if (field.shape.kind !== 'struct') return false;
      decodeInto(
        object,
        typeSchema(field.shape.type),
        contentOf(field, wireType, reader),
        depth + 1,
      );
    } else decodeField(object, field, wireType, reader, depth);
    return true;
  });
}

function decodeField(
  object: JsonObject,
  field: Field,
  wireType: WireType,
  reader: ProtobufReader,
  depth: number,
): void {
  const { name, shape } = field;
  if (shape.kind === 'list') {
    object[name] ??= [];
    const list = object[name] as JsonValue[];
    list.push(...elements(shape.item, field, wireType, reader, depth));
  } else if (shape.kind === 'map') {
    object[name] ??= {};
    const map = object[name] as JsonObject;
    const [key, value] = entry(shape.value, field, contentOf(field, wireType, reader), depth);
    // A plain assignment of `__proto__` would not make a key.
    Object.defineProperty(map, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  } else object[name] = decodeValue(shape, field, wireType, reader, depth);
}

/** One element, or several when numbers are packed. */
function elements(
  item: Shape,
  field: Field,
  wireType: WireType,
  reader: ProtobufReader,
  depth: number,
): JsonValue[] {
  const isNumber = item.kind === 'scalar' && /^(int32|int64|bool)$/.test(item.scalar);
  if (!isNumber || wireType !== 2) return [decodeValue(item, field, wireType, reader, depth)];
  const bytes = reader.content();
  const packed = new ProtobufReader(bytes);
  const values: JsonValue[] = [];
  for (let left = bytes.length; left > 0; left = packed.remaining) values.push(packed.varint());
  return values;
}

/** A map is a list of messages with key = 1 and value = 2; either may be left out when it is zero. */
function entry(shape: Shape, field: Field, bytes: Uint8Array, depth: number): [string, JsonValue] {
  let key = '';
  let value: JsonValue | undefined;
  readFields(bytes, (number, wireType, reader) => {
    if (number === 1) key = textDecoder.decode(contentOf(field, wireType, reader));
    else if (number === 2) value = decodeValue(shape, field, wireType, reader, depth + 1);
    else return false;
    return true;
  });
  return [key, value ?? emptyElement(shape)];
}

function emptyElement(shape: Shape): JsonValue {
  if (shape.kind === 'scalar') return zeroOf(shape.scalar);
  if (shape.kind === 'list') return [];
  return shape.kind === 'map' ? {} : decodeMessage(typeSchema(shape.type), new Uint8Array(), 0);
}

function decodeValue(
  shape: Shape,
  field: Field,
  wireType: WireType,
  reader: ProtobufReader,
  depth: number,
): JsonValue {
  if (shape.kind === 'struct') {
    return decodeMessage(typeSchema(shape.type), contentOf(field, wireType, reader), depth + 1);
  }
  if (shape.kind === 'scalar') return decodeScalar(shape.scalar, field, wireType, reader);
  // A list inside a map is a message of its own, with its elements as field 1 (ExtraValue, for one).
  const list: JsonValue[] = [];
  const item: Shape = shape.kind === 'list' ? shape.item : { kind: 'scalar', scalar: 'string' };
  readFields(contentOf(field, wireType, reader), (number, itemType, itemReader) => {
    if (number !== 1) return false;
    list.push(decodeValue(item, field, itemType, itemReader, depth + 1));
    return true;
  });
  return list;
}

function decodeScalar(
  scalar: Scalar,
  field: Field,
  wireType: WireType,
  reader: ProtobufReader,
): JsonValue {
  switch (scalar) {
    case 'string':
      return textDecoder.decode(contentOf(field, wireType, reader));
    case 'bytes':
      return base64(contentOf(field, wireType, reader));
    case 'int32':
      return varintOf(field, wireType, reader) | 0;
    case 'int64':
      return varintOf(field, wireType, reader);
    case 'bool':
      return varintOf(field, wireType, reader) !== 0;
    case 'double':
      if (wireType !== 1) throw wrongWireType(field, wireType);
      return reader.double();
    case 'quantity':
      return quantity(contentOf(field, wireType, reader));
    case 'intOrString':
      return intOrString(contentOf(field, wireType, reader));
    case 'time':
    case 'microTime':
      return time(contentOf(field, wireType, reader), scalar);
    case 'duration':
      return duration(contentOf(field, wireType, reader));
    case 'any':
      return rawJson(contentOf(field, wireType, reader));
  }
}

/** resource.Quantity: string = 1. */
function quantity(bytes: Uint8Array): string {
  const { texts } = simpleFields(bytes);
  const text = texts.get(1);
  return text === undefined || text.length === 0 ? '0' : decodeQuantity(textDecoder.decode(text));
}

/** intstr.IntOrString: type = 1 (1 is a string), intVal = 2, strVal = 3. */
function intOrString(bytes: Uint8Array): number | string {
  const { numbers, texts } = simpleFields(bytes);
  if (numbers.get(1) === 1) return textDecoder.decode(texts.get(3));
  return (numbers.get(2) ?? 0) | 0;
}

/** metav1.Time: seconds = 1, nanos = 2; no bytes at all are the time that was never set. */
function time(bytes: Uint8Array, scalar: 'time' | 'microTime'): JsonValue {
  if (bytes.length === 0) return null;
  const { numbers } = simpleFields(bytes);
  const date = new Date((numbers.get(1) ?? 0) * 1000);
  if (Number.isNaN(date.getTime())) throw new ProtobufError('year is not in the range [0, 9999]');
  const seconds = date.toISOString().slice(0, -5);
  if (scalar === 'time') return `${seconds}Z`;
  const micros = Math.floor((numbers.get(2) ?? 0) / 1000);
  return `${seconds}.${String(micros).padStart(6, '0').slice(0, 6)}Z`;
}

/** metav1.Duration: nanoseconds = 1. */
function duration(bytes: Uint8Array): string {
  const nanoseconds = simpleFields(bytes).numbers.get(1) ?? 0;
  return `${nanoseconds / 1e9}s`;
}

/** RawExtension and FieldsV1: JSON as bytes, in field 1. */
function rawJson(bytes: Uint8Array): JsonValue {
  const raw = simpleFields(bytes).texts.get(1);
  if (raw === undefined || raw.length === 0) return null;
  try {
    return parseJsonText(textDecoder.decode(raw));
  } catch (error) {
    throw new ProtobufError(messageOf(error));
  }
}

function simpleFields(bytes: Uint8Array): {
  numbers: Map<number, number>;
  texts: Map<number, Uint8Array>;
} {
  const numbers = new Map<number, number>();
  const texts = new Map<number, Uint8Array>();
  readFields(bytes, (number, wireType, reader) => {
    if (wireType === 0) numbers.set(number, reader.varint());
    else if (wireType === 2) texts.set(number, reader.content());
    else return false;
    return true;
  });
  return { numbers, texts };
}

/** Calls `read` for each field; what it does not take (false) is skipped. */
function readFields(
  bytes: Uint8Array,
  read: (number: number, wireType: WireType, reader: ProtobufReader) => boolean,
): void {
  const reader = new ProtobufReader(bytes);
  for (let tag = reader.next(); tag !== undefined; tag = reader.next()) {
    if (!read(tag.number, tag.wireType, reader)) reader.skip(tag.wireType);
  }
}

function contentOf(field: Field, wireType: WireType, reader: ProtobufReader): Uint8Array {
  if (wireType !== 2) throw wrongWireType(field, wireType);
  return reader.content();
}

function varintOf(field: Field, wireType: WireType, reader: ProtobufReader): number {
  if (wireType !== 0) throw wrongWireType(field, wireType);
  return reader.varint();
}

function wrongWireType({ name }: Field, wireType: WireType): ProtobufError {
  const goName = name.charAt(0).toUpperCase() + name.slice(1);
  return new ProtobufError(`proto: wrong wireType = ${wireType} for field ${goName}`);
}

const textDecoder = new TextDecoder();

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (let start = 0; start < bytes.length; start += 8192) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return btoa(binary);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
