/** Index of the first key that is not smaller than `key`, in an array sorted by code units. */
export function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The half-open range of indexes whose keys begin with `prefix`. */
export function prefixRange(keys: readonly string[], prefix: string): [from: number, to: number] {
  if (prefix === '') return [0, keys.length];
  const from = lowerBound(keys, prefix);
  const last = prefix.charCodeAt(prefix.length - 1);
  return [from, lowerBound(keys, prefix.slice(0, -1) + String.fromCharCode(last + 1))];
}
