import { badRequest } from '../../../shared/errors.ts';
import type { JsonObject, JsonValue } from '../../../shared/meta/kube-object.ts';
import { get, isObject, set } from './json-values.ts';
import { malformed } from './patch-errors.ts';

/**
 * RFC 7386 on an object: null deletes, objects merge, everything else replaces. `current` is left as it is.
 * @throws ApiError BadRequest when the patch is not an object
 */
export function applyMergePatch(current: JsonObject, patch: JsonValue): JsonObject {
  if (!isObject(patch)) {
    const { message } = malformed(patch, 'map[string]interface {}');
    throw badRequest(`error decoding patch: ${message}`);
  }
  return merge(current, patch);
}

function merge(current: JsonObject, patch: JsonObject): JsonObject {
  const merged = { ...current };
  for (const key of Object.keys(patch)) {
    const value = patch[key] ?? null;
    const before = get(merged, key);
    if (value === null) delete merged[key];
    else if (isObject(value)) set(merged, key, merge(isObject(before) ? before : {}, value));
    else set(merged, key, value);
  }
  return merged;
}
