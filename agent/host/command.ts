import { execa } from 'execa';

export interface CommandOptions {
  cwd?: string;
  /** Added to the process's own environment; `undefined` takes a name away. */
  env?: Readonly<Record<string, string | undefined>>;
  input?: string | Uint8Array;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** What it is sent when its time is over or it is aborted; SIGTERM if absent. */
  killSignal?: 'SIGTERM' | 'SIGKILL';
  /** Of stdout and of stderr each; more is an error. 16 MiB if absent. */
  maxBufferBytes?: number;
  /** Answer instead of throwing when the command ends with a code that is not 0. */
  allowFailure?: boolean;
}

export interface CommandResult {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/** Runs one command to its end. `runCommand` is the real one; tests may hand in another. */
export type RunCommand = (
  file: string,
  args: readonly string[],
  options?: CommandOptions,
) => Promise<CommandResult>;

export type CommandFailure = 'missing' | 'timeout' | 'aborted' | 'output-limit' | 'exit' | 'signal';

/** A command that did not end well; `message` is one line and names the command, never its arguments (they may hold secrets). */
export class CommandError extends Error {
  readonly failure: CommandFailure;
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;

  constructor(
    failure: CommandFailure,
    message: string,
    result: { exitCode?: number | undefined; stdout?: string; stderr?: string },
  ) {
    super(message);
    this.name = 'CommandError';
    this.failure = failure;
    this.exitCode = result.exitCode;
    this.stdout = result.stdout ?? '';
    this.stderr = result.stderr ?? '';
  }

  /** What the command itself said last, or the whole message when it said nothing. */
  get lastLine(): string {
    return lastLineOf(this.stderr) || this.message;
  }
}

/**
 * Under a service manager podman reads these two: the first makes it keep its monitors in the service's cgroup (a restart would
 * kill them), the second it would pass on to the container.
 */
const REMOVED_FROM_ENVIRONMENT = { INVOCATION_ID: undefined, NOTIFY_SOCKET: undefined };

const DEFAULT_MAX_BUFFER_BYTES = 16 * 1024 * 1024;

/** Runs `file` with `args` (no shell) and answers its output. Throws CommandError. */
export const runCommand: RunCommand = async (file, args, options = {}) => {
  const result = await execa(file, args, {
    reject: false,
    stripFinalNewline: false,
    // A command that changes an engine's state is let finish when the agent ends, and Ctrl+C is the agent's alone.
    cleanup: false,
    detached: true,
    maxBuffer: options.maxBufferBytes ?? DEFAULT_MAX_BUFFER_BYTES,
    env: { ...options.env, ...REMOVED_FROM_ENVIRONMENT },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...limitsOf(options),
  });
  const output = {
    stdout: String(result.stdout ?? ''),
    stderr: String(result.stderr ?? ''),
    exitCode: result.exitCode,
  };
  if (output.exitCode === 0 && !result.failed) return { ...output, exitCode: 0 };
  if (result.timedOut) {
    throw new CommandError('timeout', `${file} did not end within ${options.timeoutMs} ms`, output);
  }
  if (result.isCanceled) throw new CommandError('aborted', `${file} was stopped`, output);
  if (result.isMaxBuffer) {
    throw new CommandError('output-limit', `${file} printed more than expected`, output);
  }
  if (output.exitCode !== undefined) {
    if (options.allowFailure) return { ...output, exitCode: output.exitCode };
    const line = lastLineOf(output.stderr);
    const what = line === '' ? `ended with code ${output.exitCode}` : line;
    throw new CommandError('exit', `${file}: ${what}`, output);
  }
  if (result.signal !== undefined) {
    throw new CommandError('signal', `${file} was ended by ${result.signal}`, output);
  }
  if (result.code === 'ENOENT') throw new CommandError('missing', `${file}: not found`, output);
  throw new CommandError('missing', `${file}: ${result.originalMessage ?? 'cannot run'}`, output);
};

function limitsOf({ timeoutMs, signal, killSignal = 'SIGTERM' }: CommandOptions) {
  return {
    killSignal,
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  };
}

/** The last line of `text` that is not empty, without white space around it. */
export function lastLineOf(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.findLast((line) => line !== '') ?? '';
}
