import { ApiError, badRequest } from '../../../shared/errors.ts';
import type { JsonObject, JsonValue, KubeObject } from '../../../shared/meta/kube-object.ts';
import type { Decoded, FieldValidation } from '../../../shared/schema/decode-json.ts';
import { findDuplicateKeys, parseJsonText } from '../../../shared/schema/go-json-text.ts';
import type { Gvk } from '../../../shared/schema/gvk.ts';
import { mediaTypeOf, readBody, unsupportedMediaType } from '../body.ts';
import type { ResourceExchange } from '../exchange.ts';
import { decodePatched } from '../patch/decode-patched.ts';
import { applyJsonPatch } from '../patch/json-patch.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { applyStrategicMergePatch } from '../patch/strategic-merge-patch.ts';

const PATCH_MEDIA_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
] as const;

/** A patch of a request, ready to be applied to whatever the object is at that moment. */
export interface Patch {
  /** The object after the patch, with the warnings of its decoding. */
  apply(kind: Gvk, current: KubeObject): Decoded;
}

/** Reads the patch of a request. Throws BadRequest. */
export async function readPatch(
  { req }: Pick<ResourceExchange, 'req'>,
  type: PatchMediaType,
  fieldValidation: FieldValidation,
): Promise<Patch> {
  const text = (await readBody(req)).toString('utf8');
  const patch = parsePatch(text);
  const looksForDuplicates = type !== 'application/json-patch+json' && fieldValidation !== 'Ignore';
  const duplicates = looksForDuplicates
    ? findDuplicateKeys(text).map((path) => `duplicate field "${path}"`)
    : [];
  return {
    apply: (kind, current) => {
      const before = current as unknown as JsonObject;
      const isStrategic = type === 'application/strategic-merge-patch+json' && isObject(patch);
      try {
        const patched = applyPatch(type, kind, before, patch);
        const strategic = isStrategic ? patch : undefined;
        return decodePatched(kind, patched, { fieldValidation, strategic, duplicates });
      } catch (error) {
        // The stack ended: operations can nest values deeper than any text that was parsed.
        if (error instanceof RangeError)
          throw badRequest('the patched object is nested too deeply');
        throw error;
      }
    },
  };
}

export type PatchMediaType = (typeof PATCH_MEDIA_TYPES)[number];

/** How the request patches. Throws UnsupportedMediaType. */
export function patchMediaType(contentType: string | undefined): PatchMediaType {
  const type = mediaTypeOf(contentType);
  const known = PATCH_MEDIA_TYPES.find((accepted) => accepted === type);
  if (known !== undefined) return known;
  const refusal = unsupportedMediaType(PATCH_MEDIA_TYPES);
  if (type !== 'application/apply-patch+yaml') throw refusal;
  throw new ApiError(refusal.reason, `server-side apply is not supported yet: ${refusal.message}`);
}

function applyPatch(
  type: PatchMediaType,
  kind: Gvk,
  current: JsonObject,
  patch: JsonValue,
): JsonObject {
  switch (type) {
    case 'application/json-patch+json':
      return applyJsonPatch(current, patch);
    case 'application/merge-patch+json':
      return applyMergePatch(current, patch);
    case 'application/strategic-merge-patch+json':
      return applyStrategicMergePatch(current, patch, kind);
  }
}

function parsePatch(text: string): JsonValue {
  try {
    return parseJsonText(text);
  } catch (error) {
    throw badRequest(`error decoding patch: ${(error as Error).message}`);
  }
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
