const LONGEST = 1000;

/** What somebody else has worded, for a log or a status: on one line, without control characters, and not endless. */
export function oneLine(text: string): string {
  const start = text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
  return [...start].map((character) => (isControl(character) ? ' ' : character)).join('');
}

/** Unicode's category Cc. Not /\p{Cc}/u, for which every program that reads options would load the tables of all categories. */
export function isControl(character: string): boolean {
  const code = character.charCodeAt(0);
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}
