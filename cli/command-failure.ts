/** A failure that its one sentence explains; printed without a stack. Exit code 2 is for a wrong call, 1 for everything else. */
export class CommandFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
