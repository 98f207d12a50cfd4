/** Of ENOSPC and EDQUOT, POSIX write(2): no room on the disk, or none left to this user. */
const CODES: readonly unknown[] = ['ENOSPC', 'EDQUOT'];

class FullDisk extends Error {
  readonly code: string;

  constructor(message: string, code: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** The error of a write to this file with its path and what to do, when the disk is full: the system's own words name neither. Every other as it is. */
export function namingFullDisk(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof FullDisk) return error;
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string' || !CODES.includes(code)) return error;
  const message = `${path} cannot be written (${error.message}): make room on its disk`;
  return new FullDisk(message, code, error);
}
