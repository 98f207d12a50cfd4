/**
 * A number in [from, to) that is not taken, undefined when all are: at random above the first `reserved` ones, which are given out
 * last so that they stay free for those who ask for one by its number (KEP-3070, KEP-3668).
 */
export function freeNumber(
  range: { from: number; to: number; reserved: number },
  isTaken: (value: number) => boolean,
  random: () => number,
): number | undefined {
  const middle = Math.min(range.from + range.reserved, range.to);
  return (
    freeFrom(middle, range.to, isTaken, random) ?? freeFrom(range.from, middle, isTaken, random)
  );
}

function freeFrom(
  from: number,
  to: number,
  isTaken: (value: number) => boolean,
  random: () => number,
): number | undefined {
  const size = to - from;
  const start = Math.floor(random() * size);
  for (let step = 0; step < size; step += 1) {
    const value = from + ((start + step) % size);
    if (!isTaken(value)) return value;
  }
  return undefined;
}
