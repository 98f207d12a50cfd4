import type { JsonObject, JsonValue } from '../../../shared/meta/kube-object.ts';
import type { Gvk } from '../../../shared/schema/gvk.ts';
import { applyMergePatch } from './merge-patch.ts';

/** A strategic merge patch of an object of a built-in kind. */
export function applyStrategicMergePatch(
  current: JsonObject,
  patch: JsonValue,
  _kind: Gvk,
): JsonObject {
  return applyMergePatch(current, patch);
}
