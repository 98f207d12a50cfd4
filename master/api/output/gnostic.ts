import type { JsonObject, JsonValue } from '../../../shared/meta/kube-object.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/**
 * A Swagger 2.0 document as `openapi.v2.Document` of gnostic (openapiv2/OpenAPIv2.proto), the form in which kubectl asks for it.
 * Written for the documents of openapi-v2.ts: what they do not contain is not encoded.
 */
export function encodeGnostic(document: JsonObject): Uint8Array {
  const info = objectOf(document['info']);
  return message((out) => {
    out.string(1, document['swagger']);
    out.bytes(
      2,
      message((inner) => {
        inner.string(1, info['title']);
        inner.string(2, info['version']);
      }),
    );
    out.bytes(8, named(2, document['paths'], encodePathItem));
    out.bytes(9, named(1, document['definitions'], encodeSchema));
  });
}

/** Field numbers of PathItem. */
const METHODS = { get: 2, put: 3, post: 4, delete: 5, options: 6, head: 7, patch: 8 } as const;

function encodePathItem(item: JsonObject): Uint8Array {
  return message((out) => {
    for (const [method, number] of Object.entries(METHODS)) {
      if (item[method] !== undefined) out.bytes(number, encodeOperation(objectOf(item[method])));
    }
    for (const parameter of listOf(item['parameters'])) {
      out.bytes(9, encodeParameter(objectOf(parameter)));
    }
  });
}

function encodeOperation(operation: JsonObject): Uint8Array {
  return message((out) => {
    out.strings(1, operation['tags']);
    out.string(3, operation['description']);
    out.string(5, operation['operationId']);
    out.strings(6, operation['produces']);
    out.strings(7, operation['consumes']);
    for (const parameter of listOf(operation['parameters'])) {
      out.bytes(8, encodeParameter(objectOf(parameter)));
    }
    out.bytes(9, named(1, operation['responses'], encodeResponseValue));
    out.strings(10, operation['schemes']);
    encodeExtensions(out, 13, operation);
  });
}

/** ParametersItem, with the Parameter of the fitting place inside. */
function encodeParameter(parameter: JsonObject): Uint8Array {
  const place = parameter['in'];
  const inner = place === 'body' ? bodyParameter(parameter) : nonBodyParameter(parameter);
  return wrap(1, wrap(place === 'body' ? 1 : 2, inner));
}

function bodyParameter(parameter: JsonObject): Uint8Array {
  return message((out) => {
    out.string(2, parameter['name']);
    out.string(3, parameter['in']);
    out.bool(4, parameter['required']);
    out.bytes(5, encodeSchema(objectOf(parameter['schema'])));
  });
}

/** Query parameters have one field more than path parameters, so the numbers after it differ. */
function nonBodyParameter(parameter: JsonObject): Uint8Array {
  const isQuery = parameter['in'] === 'query';
  const inner = message((out) => {
    out.bool(1, parameter['required']);
    out.string(2, parameter['in']);
    out.string(3, parameter['description']);
    out.string(4, parameter['name']);
    out.string(isQuery ? 6 : 5, parameter['type']);
    out.bool(isQuery ? 20 : 19, parameter['uniqueItems']);
  });
  return wrap(isQuery ? 3 : 4, inner);
}

function encodeResponseValue(response: JsonObject): Uint8Array {
  const inner = message((out) => {
    out.string(1, response['description']);
    if (response['schema'] !== undefined) {
      out.bytes(2, wrap(1, encodeSchema(objectOf(response['schema']))));
    }
  });
  return wrap(1, inner);
}

function encodeSchema(schema: JsonObject): Uint8Array {
  return message((out) => {
    out.string(1, schema['$ref']);
    out.string(2, schema['format']);
    out.string(4, schema['description']);
    out.strings(19, schema['required']);
    if (schema['additionalProperties'] !== undefined) {
      out.bytes(21, wrap(1, encodeSchema(objectOf(schema['additionalProperties']))));
    }
    if (schema['type'] !== undefined) {
      out.bytes(
        22,
        message((inner) => inner.string(1, schema['type'])),
      );
    }
    if (schema['items'] !== undefined) {
      out.bytes(23, wrap(1, encodeSchema(objectOf(schema['items']))));
    }
    if (schema['properties'] !== undefined) {
      out.bytes(25, named(1, schema['properties'], encodeSchema));
    }
    encodeExtensions(out, 31, schema);
  });
}

/** Extensions are NamedAny, whose value is YAML text; JSON is YAML. */
function encodeExtensions(out: ProtobufWriter, number: number, object: JsonObject): void {
  for (const [name, value] of Object.entries(object)) {
    if (!name.startsWith('x-')) continue;
    const any = message((inner) => inner.string(2, `${JSON.stringify(value)}\n`));
    out.bytes(
      number,
      message((inner) => {
        inner.string(1, name);
        inner.bytes(2, any);
      }),
    );
  }
}

/** A map as a list of messages with name = 1 and value = 2. */
function named(
  number: number,
  map: JsonValue | undefined,
  encode: (value: JsonObject) => Uint8Array,
): Uint8Array {
  return message((out) => {
    for (const [name, value] of Object.entries(objectOf(map))) {
      out.bytes(
        number,
        message((inner) => {
          inner.string(1, name);
          inner.bytes(2, encode(objectOf(value)));
        }),
      );
    }
  });
}

function wrap(number: number, inner: Uint8Array): Uint8Array {
  return message((out) => out.bytes(number, inner));
}

function message(write: (out: ProtobufWriter) => void): Uint8Array {
  const out = new ProtobufWriter();
  write(out);
  return out.finish();
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function listOf(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}
