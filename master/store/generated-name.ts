/** Letters and digits that spell no words: Kubernetes' alphabet for generated names. */
export const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
const MAX_LENGTH = 63;

/** `metadata.generateName` with five random characters; `random` returns numbers in [0, 1). */
export function generatedName(base: string, random: () => number): string {
  let suffix = '';
  for (let index = 0; index < SUFFIX_LENGTH; index += 1) {
    suffix += NAME_ALPHABET[Math.floor(random() * NAME_ALPHABET.length)];
  }
  return base.slice(0, MAX_LENGTH - SUFFIX_LENGTH) + suffix;
}
