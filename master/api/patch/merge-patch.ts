import { badRequest } from '../../../shared/errors.ts';
import type { JsonObject, JsonValue } from '../../../shared/meta/kube-object.ts';

/**
 * RFC 7386 on an object: null deletes, objects merge, everything else replaces.
 * @throws ApiError BadRequest when the patch is not an object
 */
export function applyMergePatch(current: JsonObject, patch: JsonValue): JsonObject {
  if (!isObject(patch)) throw badRequest('Invalid JSON Patch');
  return merge(current, patch);
}

function merge(current: JsonObject, patch: JsonObject): JsonObject {
  const merged = { ...current };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else if (isObject(value)) {
      const before = merged[key];
      merged[key] = merge(isObject(before) ? before : {}, value);
    } else merged[key] = value;
  }
  return merged;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
