import { CommandFailure } from './command-failure.ts';

/** A kind, in any of its names, with the name of an object; undefined: all of them. */
export interface Target {
  kind: string;
  name?: string;
}

/** What `pods`, `pods,services`, `pod a b` and `pod/a service/b` mean, as for kubectl. Throws CommandFailure with exit code 2. */
export function readTargets(words: readonly string[]): Target[] {
  if (words.some((word) => word.includes('/'))) return words.map(slashed);
  const [first = '', ...names] = words;
  const kinds = first.split(',').filter((kind) => kind !== '');
  if (names.length === 0) return kinds.map((kind) => ({ kind }));
  const [kind = '', ...others] = kinds;
  if (others.length === 0) return names.map((name) => ({ kind, name }));
  throw new CommandFailure(
    `${first} ${names.join(' ')}: names are of one kind; those of several are told as ${kind}/${names[0]}`,
    2,
  );
}

/** The same where each must be one object. */
export function readNamedTargets(words: readonly string[]): Required<Target>[] | undefined {
  const targets = readTargets(words);
  const isNamed = (target: Target): target is Required<Target> => target.name !== undefined;
  return targets.length > 0 && targets.every(isNamed) ? targets : undefined;
}

function slashed(word: string): Target {
  const [kind = '', name = '', ...rest] = word.split('/');
  if (kind !== '' && name !== '' && rest.length === 0) return { kind, name };
  throw new CommandFailure(
    `"${word}": expected KIND/NAME, as in pod/web; a kind before it is not needed`,
    2,
  );
}
