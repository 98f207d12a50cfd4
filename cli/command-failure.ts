import { OptionError } from '../shared/options/read-options.ts';

/** A failure that its one sentence explains; printed without a stack. Exit code 2 is for a wrong call, 1 for everything else. */
export class CommandFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The words of the server, for which nobody else answers. */
export class Refusal extends CommandFailure {}

/** What failed one by one while the rest was done. */
export class SeveralFailures extends CommandFailure {
  readonly each: readonly CommandFailure[];

  constructor(each: readonly CommandFailure[]) {
    super(each.map(({ message }) => message).join('\n'));
    this.each = each;
  }
}

/** What a program throws at its start or end is one sentence; anything else is a defect, and shows its stack. */
export function asFailure(error: Error): Error {
  if (error instanceof CommandFailure) return error;
  if (error instanceof OptionError) return new CommandFailure(error.message, 2);
  const isDefect =
    error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
  return isDefect ? error : new CommandFailure(error.message);
}
