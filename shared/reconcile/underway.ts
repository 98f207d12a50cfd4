/** A piece of work that has begun and not ended. */
export interface Underway {
  what: string;
  forMs: number;
}

/** Longer than any piece of work takes: the longest, a call of a container engine on a slow disk, is given up after two minutes. */
const PATIENCE_MS = 10 * 60_000;

/** Which piece will never end, and for how long it has been at it; undefined: everything moves. */
export function stuckWork(work: readonly (Underway | undefined)[]): string | undefined {
  const stuck = work.find((piece) => piece !== undefined && piece.forMs > PATIENCE_MS);
  return stuck && `${stuck.what} has been under way for ${Math.round(stuck.forMs / 60_000)} min`;
}
