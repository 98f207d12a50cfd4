import type { JsonObject, JsonValue } from '../shared/meta/kube-object.ts';

const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The object with the annotation by which kubectl apply knows, later, what the manifest said: letter by letter what kubectl writes, so
 * that the same manifest changes nothing. An annotation that the cluster has stays: fields that left the manifest are still named in it,
 * and kubectl apply removes them.
 */
export function withLastApplied(
  object: JsonObject,
  namespace: string | undefined,
  existing?: JsonObject,
): JsonObject {
  const { [ANNOTATION]: own, ...annotations } = annotationsOf(object);
  const metadata = {
    ...(object['metadata'] as JsonObject | undefined),
    ...(namespace === undefined ? {} : { namespace }),
  };
  const said = goJson({ ...object, metadata: { ...metadata, annotations } });
  const kept = existing && annotationsOf(existing)[ANNOTATION];
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...annotations, [ANNOTATION]: kept ?? own ?? said } },
  };
}

function annotationsOf(object: JsonObject): JsonObject {
  const { annotations } = (object['metadata'] ?? {}) as { annotations?: JsonObject | null };
  return annotations ?? {};
}

/** As Go's encoder prints: keys in order, with what HTML would read escaped, and a line's end. */
function goJson(value: JsonObject): string {
  const text = JSON.stringify(sorted(value)).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${text}\n`;
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key] as JsonValue)]),
  );
}
