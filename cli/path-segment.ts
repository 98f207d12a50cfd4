import { CommandFailure } from './command-failure.ts';

/**
 * A name as one segment of a URL's path. What would name something else is refused, in client-go's words (IsValidPathSegmentName): an empty
 * one or "." is the whole collection, which a DELETE would take away, and ".." is what holds it. Throws CommandFailure with exit code 2.
 */
export function pathSegment(what: 'resource name' | 'namespace', text: string): string {
  if (text === '') throw new CommandFailure(`${what} may not be empty`, 2);
  const problem =
    text === '.' || text === '..'
      ? `may not be '${text}'`
      : ['/', '%'].filter((one) => text.includes(one)).map((one) => `may not contain '${one}'`)[0];
  if (problem !== undefined) {
    throw new CommandFailure(`invalid ${what} ${JSON.stringify(text)}: [${problem}]`, 2);
  }
  return encodeURIComponent(text);
}
