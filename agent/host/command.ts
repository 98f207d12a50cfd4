import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

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

/** After this the command that did not end on `killSignal` gets SIGKILL. */
const FORCE_AFTER_MS = 5000;

/** Runs `file` with `args` (no shell) and answers its output. Throws CommandError. */
export const runCommand: RunCommand = async (file, args, options = {}) => {
  const { timeoutMs, allowFailure = false } = options;
  const ended = await runToEnd(file, args, options).catch(neverRun);
  const { stdout, stderr } = ended;
  const output = { stdout, stderr, exitCode: ended.exitCode ?? undefined };
  const failed = (failure: CommandFailure, message: string) =>
    new CommandError(failure, message, output);
  if (ended.stoppedFor !== undefined) {
    throw failed(ended.stoppedFor, STOPPED[ended.stoppedFor](file, timeoutMs));
  }
  if (ended.error !== undefined) {
    const { code } = ended.error;
    // Not its message, which may show arguments.
    throw failed(
      'missing',
      `${file}: ${code === 'ENOENT' ? 'not found' : `cannot be run (${code})`}`,
    );
  }
  if (ended.exitCode === null) throw failed('signal', `${file} was ended by ${ended.signal}`);
  if (ended.exitCode === 0 || allowFailure) return { stdout, stderr, exitCode: ended.exitCode };
  const line = lastLineOf(stderr);
  throw failed('exit', `${file}: ${line === '' ? `ended with code ${ended.exitCode}` : line}`);
};

interface Ended {
  stdout: string;
  stderr: string;
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** Why the command could not be run at all. */
  error?: NodeJS.ErrnoException;
  /** Why it was ended from here. */
  stoppedFor?: StopReason;
}

type StopReason = 'timeout' | 'aborted' | 'output-limit';

const STOPPED: Record<StopReason, (file: string, timeoutMs: number | undefined) => string> = {
  timeout: (file, timeoutMs) => `${file} did not end within ${timeoutMs} ms`,
  aborted: (file) => `${file} was stopped`,
  'output-limit': (file) => `${file} printed more than expected`,
};

const neverRun = (error: NodeJS.ErrnoException): Ended => ({
  stdout: '',
  stderr: '',
  exitCode: null,
  signal: null,
  error,
});

/**
 * Runs it until it has ended and its output is closed, or until it was ended from here. Rejects when the arguments are nothing that a
 * process can be given.
 */
function runToEnd(file: string, args: readonly string[], options: CommandOptions): Promise<Ended> {
  const { input, timeoutMs, signal, killSignal = 'SIGTERM' } = options;
  const maxBufferBytes = options.maxBufferBytes ?? DEFAULT_MAX_BUFFER_BYTES;
  return new Promise((resolve) => {
    if (signal?.aborted) {
      return resolve({
        stdout: '',
        stderr: '',
        exitCode: null,
        signal: null,
        stoppedFor: 'aborted',
      });
    }
    const child = spawn(file, args, {
      // A command that changes an engine's state is let finish when the agent ends, and Ctrl+C is the agent's alone.
      detached: true,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env, ...REMOVED_FROM_ENVIRONMENT },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let stoppedFor: StopReason | undefined;
    let force: NodeJS.Timeout | undefined;

    const stop = (reason: StopReason) => {
      if (stoppedFor !== undefined) return;
      stoppedFor = reason;
      child.kill(killSignal);
      force = setTimeout(() => child.kill('SIGKILL'), FORCE_AFTER_MS);
      // What it started may hold its output open for ever.
      if (child.exitCode !== null || child.signalCode !== null) closeOutput();
      else child.once('exit', closeOutput);
    };
    const closeOutput = () => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    };
    const settle = (how: Pick<Ended, 'exitCode' | 'signal' | 'error'>) => {
      clearTimeout(timer);
      clearTimeout(force);
      signal?.removeEventListener('abort', abort);
      const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString('utf8');
      const why = stoppedFor === undefined ? {} : { stoppedFor };
      resolve({ stdout: text(stdout), stderr: text(stderr), ...how, ...why });
    };
    const collect = (stream: Readable | null, chunks: Buffer[]) => {
      let bytes = 0;
      stream?.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxBufferBytes) stop('output-limit');
        else chunks.push(chunk);
      });
      stream?.on('error', () => {});
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(stop, timeoutMs, 'timeout');
    const abort = () => stop('aborted');
    signal?.addEventListener('abort', abort, { once: true });
    collect(child.stdout, stdout);
    collect(child.stderr, stderr);
    child.once('error', (error) => settle({ exitCode: null, signal: null, error }));
    child.once('close', (exitCode, endedBy) => settle({ exitCode, signal: endedBy }));
    // A command that ends before it has read everything says so by its code.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** The last line of `text` that is not empty, without white space around it. */
export function lastLineOf(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.findLast((line) => line !== '') ?? '';
}
