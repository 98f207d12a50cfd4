import { ApiError, badRequest } from '../errors.ts';
import type { JsonObject, JsonValue, KubeObject } from '../meta/kube-object.ts';
import { decodeStruct } from './decode-struct.ts';
import { findDuplicateKeys, parseJsonText } from './go-json-text.ts';
import type { Gvk } from './gvk.ts';
import type { DeleteOptions } from './kubernetes-types.ts';
import { cannotBeHandled, checkKind, unrecognized } from './object-kind.ts';
import { typeOfKind } from './schema.ts';
import { parseYamlObject } from './yaml.ts';

/** What happens to unknown and duplicate fields: the query parameter fieldValidation (KEP-2885). */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface Decoded {
  object: KubeObject;
  /** Each one the text of a `Warning: 299 - "…"` header of the response. */
  warnings: string[];
}

/**
 * Decodes the JSON text of a request body.
 * @throws ApiError BadRequest in the words of Kubernetes' decoder
 */
export function decodeJson(kind: Gvk, text: string, fieldValidation: FieldValidation): Decoded {
  const { value, duplicates } = parseJson(kind, text, fieldValidation !== 'Ignore');
  return decodeObject(kind, value, fieldValidation, duplicates, text);
}

/**
 * Decodes the YAML text of a request body, one document.
 * @throws ApiError BadRequest
 */
export function decodeYaml(kind: Gvk, text: string, fieldValidation: FieldValidation): Decoded {
  let parsed: { value: JsonValue; duplicates: string[] };
  try {
    parsed = parseYamlObject(text);
  } catch (error) {
    throw badRequest(unrecognized(kind, messageOf(error), text));
  }
  return decodeObject(kind, parsed.value, fieldValidation, parsed.duplicates, text);
}

/**
 * Decodes a parsed value into an object of the kind: known fields only, quantities and times in their canonical form, nulls and
 * zeros dropped and structs filled in where Go's types do that.
 * @param strictErrors what parsing the text already found, `duplicate field "spec.x"`
 * @param text the body, for messages about a body that is no object
 * @throws ApiError BadRequest
 */
export function decodeObject(
  kind: Gvk,
  value: JsonValue,
  fieldValidation: FieldValidation,
  strictErrors: readonly string[] = [],
  text?: string,
): Decoded {
  const actual = checkKind(kind, value, text);
  const type = typeOfKind(kind);
  if (type === undefined) throw new ApiError('InternalError', `the schema has no ${kind.kind}`);
  const findings = [...strictErrors];
  let decoded: JsonObject;
  try {
    decoded = decodeStruct(type, value, findings, 'json');
  } catch (error) {
    throw badRequest(cannotBeHandled(kind, actual, messageOf(error)));
  }
  if (fieldValidation === 'Strict' && findings.length > 0) {
    const list = findings.join(', ');
    throw badRequest(cannotBeHandled(kind, actual, `strict decoding error: ${list}`));
  }
  return {
    object: asKubeObject(kind, decoded),
    warnings: fieldValidation === 'Warn' ? findings : [],
  };
}

/**
 * The options in the body of a delete request; an empty body has none.
 * @throws ApiError BadRequest
 */
export function decodeDeleteOptions(text: string): Partial<DeleteOptions> {
  if (text.trim() === '') return {};
  const { value } = parseJson(DELETE_OPTIONS, text, false);
  const actual = checkDeleteOptions(value);
  try {
    return decodeStruct('meta.v1.DeleteOptions', value, [], 'json') as Partial<DeleteOptions>;
  } catch (error) {
    throw badRequest(cannotBeHandled(DELETE_OPTIONS, actual, messageOf(error)));
  }
}

export const DELETE_OPTIONS: Gvk = { group: '', version: 'v1', kind: 'DeleteOptions' };

/** Stamps what every object has: its kind, and the metadata that is empty until the registry fills it in. */
export function asKubeObject(kind: Gvk, decoded: JsonObject): KubeObject {
  const { apiVersion, kind: _, metadata, ...rest } = decoded;
  return {
    apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
    kind: kind.kind,
    metadata: {
      name: '',
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
      ...withoutNulls((metadata ?? {}) as JsonObject),
    },
    ...rest,
  };
}

/** A new object has no creationTimestamp; Go's decoder makes that a null. */
function withoutNulls(metadata: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null));
}

/** Every group version has its own registration of DeleteOptions: clients name the one of the object they delete. */
function checkDeleteOptions(value: JsonValue): Gvk {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const { apiVersion, ...rest } = value;
    return checkKind(DELETE_OPTIONS, rest);
  }
  return checkKind(DELETE_OPTIONS, value);
}

function parseJson(
  kind: Gvk,
  text: string,
  findDuplicates: boolean,
): { value: JsonValue; duplicates: string[] } {
  try {
    const value = parseJsonText(text);
    const paths = findDuplicates ? findDuplicateKeys(text) : [];
    return { value, duplicates: paths.map((path) => `duplicate field "${path}"`) };
  } catch (error) {
    const why = `couldn't get version/kind; json parse error: ${messageOf(error)}`;
    throw badRequest(unrecognized(kind, why, text));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
