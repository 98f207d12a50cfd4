import { describe, expect, it } from 'vitest';
import { CommandError, lastLineOf, runCommand } from './command.ts';

async function failure(promise: Promise<unknown>): Promise<CommandError> {
  const error = await promise.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(CommandError);
  return error as CommandError;
}

describe('runCommand', () => {
  it('answers output and code', async () => {
    expect(await runCommand('sh', ['-c', 'cat; echo e >&2'], { input: 'in\n' })).toEqual({
      stdout: 'in\n',
      stderr: 'e\n',
      exitCode: 0,
    });
  });

  it('hides a service manager’s variables, also when they are asked for', async () => {
    const { stdout } = await runCommand('env', [], {
      env: { INVOCATION_ID: 'x', NOTIFY_SOCKET: '/y', OTHER: 'z' },
    });
    expect(stdout).toContain('OTHER=z\n');
    expect(stdout).not.toMatch(/INVOCATION_ID|NOTIFY_SOCKET/);
  });

  it('a failure has the code and the last line of stderr, never the arguments', async () => {
    const error = await failure(
      runCommand('sh', ['-c', 'echo one >&2; echo two >&2; exit 3', 'pw']),
    );
    expect(error).toMatchObject({
      failure: 'exit',
      exitCode: 3,
      message: 'sh: two',
      lastLine: 'two',
    });
  });

  it('a failure may be an answer', async () => {
    const result = await runCommand('sh', ['-c', 'exit 3'], { allowFailure: true });
    expect(result.exitCode).toBe(3);
  });

  it('a command that is not there is named', async () => {
    const error = await failure(runCommand('skerry-no-such-command', []));
    expect(error).toMatchObject({
      failure: 'missing',
      message: 'skerry-no-such-command: not found',
    });
  });

  it('one that does not end is ended', async () => {
    const error = await failure(runCommand('sleep', ['1000'], { timeoutMs: 20 }));
    expect(error).toMatchObject({ failure: 'timeout' });
  });

  it('one that says too much is ended', async () => {
    const error = await failure(runCommand('yes', [], { maxBufferBytes: 100 }));
    expect(error).toMatchObject({ failure: 'output-limit' });
  });

  it('one can be stopped', async () => {
    const controller = new AbortController();
    const running = runCommand('sleep', ['1000'], { signal: controller.signal });
    controller.abort();
    expect(await failure(running)).toMatchObject({ failure: 'aborted' });
  });

  it('one that was stopped before it began does not begin', async () => {
    const running = runCommand('sh', ['-c', 'echo began'], { signal: AbortSignal.abort() });
    expect(await failure(running)).toMatchObject({ failure: 'aborted', stdout: '' });
  });

  it('what a command leaves behind cannot hold it over its time', async () => {
    const leaves = runCommand('sh', ['-c', 'sleep 1000 & echo $!; wait'], { timeoutMs: 200 });
    const error = await failure(leaves);
    expect(error).toMatchObject({ failure: 'timeout' });
    process.kill(Number(error.stdout), 'SIGKILL');
  });

  it('one that ends before it has read its input is judged by its code', async () => {
    const input = 'x'.repeat(1024 * 1024);
    expect(await runCommand('true', [], { input })).toMatchObject({ exitCode: 0 });
    expect(await failure(runCommand('false', [], { input }))).toMatchObject({ failure: 'exit' });
  });

  it('a letter that comes in two pieces is whole', async () => {
    const { stdout } = await runCommand('sh', ['-c', "printf '\\303'; sleep 0.05; printf '\\244'"]);
    expect(stdout).toBe('ä');
  });

  it('an argument that no process can be given is not shown', async () => {
    const error = await failure(runCommand('echo', ['secret\0']));
    expect(error).toMatchObject({
      failure: 'missing',
      message: 'echo: cannot be run (ERR_INVALID_ARG_VALUE)',
    });
  });

  it('one that was killed says by what', async () => {
    const error = await failure(runCommand('sh', ['-c', 'kill -KILL $$']));
    expect(error).toMatchObject({ failure: 'signal', message: 'sh was ended by SIGKILL' });
  });
});

it('the last line is the last one that says something', () => {
  expect(lastLineOf('a\n b \n\n')).toBe('b');
  expect(lastLineOf('')).toBe('');
});
