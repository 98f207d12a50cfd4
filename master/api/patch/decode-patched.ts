import { ApiError, invalid } from '../../../shared/errors.ts';
import type { JsonObject } from '../../../shared/meta/kube-object.ts';
import {
  asKubeObject,
  type Decoded,
  type FieldValidation,
} from '../../../shared/schema/decode-json.ts';
import { decodeStruct } from '../../../shared/schema/decode-struct.ts';
import type { Gvk } from '../../../shared/schema/gvk.ts';
import { typeOfKind } from '../../../shared/schema/schema.ts';
import { printGoValue } from './patch-errors.ts';

interface PatchDecoding {
  fieldValidation: FieldValidation;
  /** The patch, when it was a strategic merge patch: Kubernetes tells of that in other words. */
  strategic?: JsonObject | undefined;
  /** What reading the patch found already: `duplicate field "data"`. */
  duplicates?: readonly string[];
}

/**
 * The object that a patch led to, decoded as an object of its kind.
 * @throws ApiError Invalid (422) on the field `patch` when a field does not fit, or is unknown under Strict
 */
export function decodePatched(
  kind: Gvk,
  patched: JsonObject,
  { fieldValidation, strategic, duplicates = [] }: PatchDecoding,
): Decoded {
  const type = typeOfKind(kind);
  if (type === undefined) throw new ApiError('InternalError', `the schema has no ${kind.kind}`);
  if (strategic === undefined) checkKind(kind, patched);
  const findings = [...duplicates];
  let decoded: JsonObject;
  try {
    decoded = decodeStruct(
      type,
      patched,
      findings,
      strategic === undefined ? 'json' : 'unstructured',
    );
  } catch (error) {
    throw invalidPatch(patched, strategic, error instanceof Error ? error.message : String(error));
  }
  if (fieldValidation === 'Strict' && findings.length > 0) {
    throw invalidPatch(patched, strategic, `strict decoding error: ${findings.join(', ')}`);
  }
  return {
    object: asKubeObject(kind, decoded),
    warnings: fieldValidation === 'Warn' ? findings : [],
  };
}

/** A patch cannot make an object one of another kind; what it leaves out is filled in. */
function checkKind({ group, version, kind }: Gvk, patched: JsonObject): void {
  const expected = group === '' ? version : `${group}/${version}`;
  const apiVersion = patched['apiVersion'] || expected;
  const name = patched['kind'] || kind;
  if (apiVersion === expected && name === kind) return;
  throw invalidPatch(
    patched,
    undefined,
    `no kind "${String(name)}" is registered for version "${String(apiVersion)}" in scheme "pkg/api/legacyscheme/scheme.go:30"`,
  );
}

function invalidPatch(
  patched: JsonObject,
  strategic: JsonObject | undefined,
  why: string,
): ApiError {
  const shown = strategic === undefined ? JSON.stringify(patched) : printGoValue(strategic);
  return invalid({ group: '', kind: '' }, '', [
    {
      type: 'FieldValueInvalid',
      field: 'patch',
      message: `Invalid value: ${JSON.stringify(shown)}: ${why}`,
    },
  ]);
}
