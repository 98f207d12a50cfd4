import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../shared/silent-logger.ts';
import { CommandError, type RunCommand, runCommand } from '../host/command.ts';
import { chooseRuntime, installedRuntimes } from './choose-runtime.ts';

const OPTIONS = {
  agentId: 'a1',
  stateDir: '/nowhere/state',
  runDir: '/nowhere/run',
  log: silentLogger,
  nowMs: () => 0,
  podman: 'skerry-no-podman',
  ctr: 'skerry-no-ctr',
};

function failing(stderr: string): RunCommand {
  return async (file) => {
    throw new CommandError('exit', `${file}: failed`, { exitCode: 1, stderr });
  };
}

describe('chooseRuntime', () => {
  it.each([
    ['podman', 'podman is not installed: apt-get install podman'],
    ['containerd', 'containerd is not installed: apt-get install containerd'],
    ['auto', 'podman is not installed: apt-get install podman'],
  ] as const)('%s without its command says how to get it', async (choice, message) => {
    await expect(chooseRuntime(choice, OPTIONS)).rejects.toMatchObject({
      reason: 'RuntimeNotInstalled',
      message,
    });
  });

  it('auto takes containerd where there is no podman', async () => {
    const run: RunCommand = async (file, args, options) =>
      file === 'ctr'
        ? { stdout: 'Server:\n  Version:  1.6.20~ds1\n', stderr: '', exitCode: 0 }
        : runCommand(file, args, options);
    const runtime = await chooseRuntime('auto', { ...OPTIONS, ctr: 'ctr', run });
    expect(await runtime.info()).toEqual({
      name: 'containerd',
      version: 'containerd://1.6.20',
      ociRuntime: 'runc',
    });
  });

  it.each([
    ['podman', 'Error: something odd\n', 'podman does not work: something odd'],
    [
      'podman',
      'Error: default OCI runtime "runc" not found: invalid argument\n',
      'podman needs runc on this machine, as both cgroup versions are mounted: apt-get install runc',
    ],
    [
      'containerd',
      'ctr: failed to dial "/run/containerd/containerd.sock": context deadline exceeded\n',
      'containerd does not answer: systemctl enable --now containerd',
    ],
  ] as const)('%s that fails with %j is one clear sentence', async (choice, stderr, message) => {
    await expect(chooseRuntime(choice, { ...OPTIONS, run: failing(stderr) })).rejects.toThrow(
      message,
    );
  });
});

describe('installedRuntimes', () => {
  it('does not call ctr where no containerd listens', async () => {
    const called: string[] = [];
    const run: RunCommand = async (file) => {
      called.push(file);
      throw new CommandError('missing', `${file}: not found`, {});
    };
    const options = { ...OPTIONS, run, containerdAddress: '/nowhere/containerd.sock' };
    expect(await installedRuntimes(options)).toEqual([]);
    expect(new Set(called)).toEqual(new Set(['skerry-no-podman']));
  });
});
