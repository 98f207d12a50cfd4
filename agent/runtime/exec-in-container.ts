import { randomBytes } from 'node:crypto';
import { CommandError, type RunCommand } from '../host/command.ts';
import { processIs, sendSignal } from '../host/proc.ts';
import { makeFolder, readSmallFile, removeFile } from '../host/small-files.ts';
import { type ExecLimits, type ExecResult, RuntimeError } from './runtime.ts';

/** As much of a command's output as probes and events have a use for. */
const MAX_OUTPUT_CHARS = 10 * 1024;
/** A command that prints more than this is broken. */
const MAX_BUFFER_BYTES = 1024 * 1024;
/** What runc and crun answer when they could not run the command at all; a command's own 255 says nothing of theirs. */
const CANNOT_RUN_CODES = [1, 126, 127, 255];
const CANNOT_RUN =
  /exec failed|level=error|error executing|does not exist|container .*not running/i;

export interface ExecPlace {
  run: RunCommand;
  /** `runc` or `crun`, as the engine uses it. */
  ociRuntime: string;
  /** Where the OCI runtime keeps what it runs; its own default if absent. */
  root?: string;
  /** For a file that holds the command's pid while it runs. */
  pidFolder: string;
}

/**
 * Runs a command in a container by the OCI runtime itself, the same for every engine. What is over its time is killed by its own pid:
 * the runtime that started it cannot pass a SIGKILL on. Throws RuntimeError, see Runtime.exec.
 */
export async function execInContainer(
  { run, ociRuntime, root, pidFolder }: ExecPlace,
  id: string,
  command: readonly string[],
  { timeoutMs, signal }: ExecLimits,
): Promise<ExecResult> {
  makeFolder(pidFolder);
  const pidFile = `${pidFolder}/exec-${randomBytes(6).toString('hex')}.pid`;
  const where = root === undefined ? [] : ['--root', root];
  try {
    const result = await run(
      ociRuntime,
      [...where, 'exec', '--pid-file', pidFile, id, ...command],
      {
        allowFailure: true,
        killSignal: 'SIGKILL',
        maxBufferBytes: MAX_BUFFER_BYTES,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(signal === undefined ? {} : { signal }),
      },
    );
    const { exitCode, stdout, stderr } = result;
    if (CANNOT_RUN_CODES.includes(exitCode) && readSmallFile(pidFile) === undefined) {
      if (CANNOT_RUN.test(stderr)) throw new RuntimeError('ExecError', runtimeWords(stderr));
    }
    return { exitCode, output: `${stdout}${stderr}`.slice(0, MAX_OUTPUT_CHARS) };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    killLeftOver(readSmallFile(pidFile), id);
    throw execError(error, command, timeoutMs);
  } finally {
    removeFile(pidFile);
  }
}

/** The pid may be another process's by now: it must be in the container's cgroup. */
function killLeftOver(pidText: string | undefined, id: string): void {
  const pid = Number(pidText);
  if (Number.isInteger(pid) && pid > 1 && processIs(pid, id)) sendSignal(pid, 'SIGKILL');
}

function execError(error: CommandError, command: readonly string[], timeoutMs?: number): Error {
  switch (error.failure) {
    case 'timeout': {
      const words = `command "${command.join(' ')}" timed out`;
      return new RuntimeError('ExecTimeout', `${words} after ${(timeoutMs ?? 0) / 1000}s`);
    }
    case 'aborted':
      return new RuntimeError('ExecAborted', 'the command was stopped');
    default:
      return new RuntimeError('ExecError', error.lastLine);
  }
}

/** runc logs `time=… level=error msg="exec failed: …"`; crun writes the bare sentence. */
function runtimeWords(stderr: string): string {
  const line = stderr.trim().split('\n').at(-1) ?? '';
  const quoted = line.match(/msg="((?:[^"\\]|\\.)*)"/)?.[1];
  return quoted === undefined ? line : quoted.replaceAll('\\"', '"');
}
