import { readFileSync, rmSync, statSync } from 'node:fs';
import { CommandFailure } from './command-failure.ts';

/** Where install.sh puts a copy of the token that it was given: install/programs.sh. */
const INSTALLED_TOKEN_FILE = '/etc/skerry/join-token';

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

/** Removes the file at `path` if install.sh made it, for a device that is a member needs no token; what a user has made stays. */
export function forgetInstalledToken(
  path: string | undefined,
  warn: (message: string) => void,
  installed = INSTALLED_TOKEN_FILE,
): void {
  if (path !== installed) return;
  try {
    rmSync(path, { force: true });
  } catch (error) {
    const why = (error as Error).message;
    warn(`${path} holds a join token that is needed no more (${why}): remove it`);
  }
}
