import { CommandError, type CommandOptions, type RunCommand } from '../host/command.ts';
import { RuntimeError } from './runtime.ts';
import { Turnstile } from './turnstile.ts';

export interface CtrOptions {
  run: RunCommand;
  command: string;
  /** containerd's socket. */
  address: string;
  namespace: string;
  maxProcesses: number;
}

const CALL_TIMEOUT_MS = 120_000;

/** Calls `ctr`, a few processes at a time. */
export class Ctr {
  readonly #options: CtrOptions;
  readonly #turnstile: Turnstile;

  constructor(options: CtrOptions) {
    this.#options = options;
    this.#turnstile = new Turnstile(options.maxProcesses);
  }

  /** Throws CommandError. */
  async call(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    return (await this.full(args, options)).stdout;
  }

  full(args: readonly string[], options: CommandOptions = {}) {
    const { run, command, address, namespace } = this.#options;
    const where = ['--address', address, '--namespace', namespace];
    const all = ['--connect-timeout=3s', ...where, ...args];
    return this.#turnstile.pass(() =>
      run(command, all, { timeoutMs: CALL_TIMEOUT_MS, ...options }),
    );
  }

  /** For what may be gone already: `not found` is no error. */
  async callIfThere(args: readonly string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await this.full(args, { allowFailure: true });
    if (exitCode === 0 || isNotFound(stderr)) return stdout;
    throw new CommandError('exit', `ctr: ${stderr.trim()}`, { stderr, exitCode });
  }
}

export function isNotFound(stderr: string): boolean {
  return /not found|does not exist|no such/i.test(stderr);
}

/** The last line that ctr wrote, without its own prefixes. */
export function ctrError(reason: string, error: unknown): unknown {
  if (!(error instanceof CommandError)) return error;
  const line = error.lastLine.replace(/^ctr: /, '').replace(/: unknown$/, '');
  return new RuntimeError(reason, line);
}
