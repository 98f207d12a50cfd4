/**
 * The form of what lies in a data directory, of master and agent. It rises when an older release could no longer read what a newer one
 * writes; a release reads every form up to its own.
 */
export const STATE_FORMAT = 1;

/** A folder that was written by a newer release. The message is one sentence for the user. */
class StateTooNew extends Error {
  constructor(folder: string, format: string, release: string) {
    super(
      `${folder} was written by release ${release} (form ${format}), which this release cannot read (it reads up to form ${STATE_FORMAT}): install that release again, or put back a backup from before the upgrade`,
    );
    this.name = 'StateTooNew';
  }
}

/**
 * What to write into the file `format` of a folder whose file says `found` (undefined: there is none); undefined: it is right already.
 * It says `FORM RELEASE`, the release being the first that wrote the form there. Throws StateTooNew, and an Error of one sentence for a file
 * that says neither: what lies there may be of any form.
 */
export function formatToWrite(
  found: string | undefined,
  folder: string,
  release: string,
): string | undefined {
  if (found === undefined) return `${STATE_FORMAT} ${release}\n`;
  const [, format, by] = /^(\d+) (\S+)\n?$/.exec(found) ?? [];
  if (format === undefined || by === undefined) {
    throw new Error(
      `${folder}/format is damaged (it does not say "FORM RELEASE", as in "${STATE_FORMAT} ${release}"): put it back from a backup of the folder`,
    );
  }
  if (Number(format) > STATE_FORMAT) throw new StateTooNew(folder, format, by);
  return Number(format) === STATE_FORMAT ? undefined : `${STATE_FORMAT} ${release}\n`;
}
