/**
 * Deep equality of JSON values in which an absent field equals an empty list or map: the equality by which Kubernetes decides whether a
 * spec changed (apimachinery equality.Semantic). Quantities are compared as text: objects are in canonical form.
 */
export function semanticEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isAbsent(a)) return isEmpty(b);
  if (isAbsent(b)) return isEmpty(a);
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => semanticEqual(item, b[index]))
    );
  }
  if (Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key in left) if (!semanticEqual(left[key], right[key])) return false;
  for (const key in right) {
    if (!(key in left) && !semanticEqual(undefined, right[key])) return false;
  }
  return true;
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function isEmpty(value: unknown): boolean {
  if (isAbsent(value)) return true;
  if (typeof value !== 'object') return false;
  for (const _key in value) return false;
  return true;
}
