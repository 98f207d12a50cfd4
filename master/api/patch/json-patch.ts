import { badRequest } from '../../../shared/errors.ts';
import type { JsonObject, JsonValue } from '../../../shared/meta/kube-object.ts';

/** RFC 6902. */
export function applyJsonPatch(_current: JsonObject, _patch: JsonValue): JsonObject {
  throw badRequest('JSON patches are not supported yet');
}
