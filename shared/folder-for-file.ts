class FolderForFile extends Error {
  readonly code = 'EISDIR';
}

/** The error of reading this file with its path and what to do, when a folder is in its place: the system's own words name neither. Every other as it is. */
export function namingFolder(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || (error as { code?: unknown }).code !== 'EISDIR') return error;
  const message = `${path} is a folder and must be a file: move it away, and put the file back from a backup if there was one`;
  return new FolderForFile(message, { cause: error });
}
