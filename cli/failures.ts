import { ApiFailure, Unreachable } from './api-client.ts';
import { CommandFailure, Refusal, SeveralFailures } from './command-failure.ts';

/** What the server says of a wrong request, in kubectl's words. */
export function refusalOf({ reason, message }: ApiFailure): Refusal {
  return new Refusal(`Error from server${reason === '' ? '' : ` (${reason})`}: ${message}`);
}

/** Failures that keep nothing else from being done: they are told at the end, as kubectl tells them. */
export class Failures {
  readonly #found: CommandFailure[] = [];

  /** Undefined when it failed. Throws Unreachable: the rest would fail the same way. */
  async of<Value>(work: () => Value | Promise<Value>): Promise<Value | undefined> {
    try {
      return await work();
    } catch (error) {
      const failure = error instanceof ApiFailure ? refusalOf(error) : error;
      if (!(failure instanceof CommandFailure) || failure instanceof Unreachable) throw error;
      this.#found.push(failure);
      return undefined;
    }
  }

  /** Throws CommandFailure when there was one. */
  end(): void {
    const [first, ...others] = this.#found;
    if (first !== undefined) throw others.length === 0 ? first : new SeveralFailures(this.#found);
  }
}
