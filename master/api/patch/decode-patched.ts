import type { JsonObject } from '../../../shared/meta/kube-object.ts';
import {
  type Decoded,
  decodeObject,
  type FieldValidation,
} from '../../../shared/schema/decode-json.ts';
import type { Gvk } from '../../../shared/schema/gvk.ts';

/**
 * The object that a patch led to, decoded as an object of its kind. A field that does not fit is 422 Invalid on `patch`,
 * as on Kubernetes, not 400.
 */
export function decodePatched(
  kind: Gvk,
  patched: JsonObject,
  fieldValidation: FieldValidation,
  _patch: JsonObject | undefined,
): Decoded {
  return decodeObject(kind, patched, fieldValidation);
}
