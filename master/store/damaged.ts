/** The error of a file that cannot be what was written; `found` says what is wrong with it, in a few words. */
export function damaged(path: string, found: string, cause?: unknown): Error {
  return new Error(`${path} is damaged (${found}): put it back from a backup`, { cause });
}
