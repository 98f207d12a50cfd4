import { readFileSync, statSync } from 'node:fs';
import { CommandFailure } from './command-failure.ts';

/**
 * The token in a file. A device that has joined does not need it: the file may be gone then. Throws CommandFailure when the file is needed
 * and cannot be read, may be read by others, or holds nothing.
 */
export function readTokenFile(path: string, hasJoined: boolean): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (hasJoined) return '';
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : message;
    throw new CommandFailure(
      `the token file ${path} cannot be read: ${why}; make a token with \`skerry token create\` on the master`,
      2,
    );
  }
  const { mode } = statSync(path);
  if ((mode & 0o077) !== 0) {
    throw new CommandFailure(
      `others may read the token file ${path}: chmod 600 ${path}, and better make a new token`,
      2,
    );
  }
  if (text === '' && !hasJoined) throw new CommandFailure(`the token file ${path} is empty`, 2);
  return text;
}
