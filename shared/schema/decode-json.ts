import type { JsonValue, KubeObject } from '../meta/kube-object.ts';
import type { Gvk } from './gvk.ts';

/** What happens to unknown and duplicate fields: the query parameter fieldValidation (KEP-2885). */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface Decoded {
  object: KubeObject;
  /** Each one a `Warning: 299 - "…"` header of the response. */
  warnings: string[];
}

/** Decodes the JSON text of a request body. */
export function decodeJson(kind: Gvk, text: string, fieldValidation: FieldValidation): Decoded {
  return decodeObject(kind, JSON.parse(text) as JsonValue, fieldValidation);
}

/** Decodes a parsed value. */
export function decodeObject(
  kind: Gvk,
  value: JsonValue,
  _fieldValidation: FieldValidation,
  _strictErrors: readonly string[] = [],
): Decoded {
  const object = { ...(value as unknown as KubeObject) };
  object.kind = kind.kind;
  object.metadata = {
    ...object.metadata,
    name: object.metadata?.name ?? '',
    uid: object.metadata?.uid ?? '',
    resourceVersion: object.metadata?.resourceVersion ?? '',
    creationTimestamp: object.metadata?.creationTimestamp ?? '',
  };
  return { object, warnings: [] };
}
