/**
 * A query flag as Kubernetes reads it: absent, `0` and `false` in any case are false, everything else is true, also an empty
 * value (`?watch`) and Python's `True`.
 */
export function isTrue(text: string | null): boolean {
  if (text === null) return false;
  return text.toLowerCase() !== 'false' && text !== '0';
}
