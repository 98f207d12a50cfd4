import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const INSTALL = new URL('../install.sh', import.meta.url).pathname;

/** What install.sh says on a machine without any tool. */
function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('/bin/sh', [INSTALL, ...args], {
    encoding: 'utf8',
    env: { PATH: '/nonexistent' },
  });
  return { status, stdout, stderr };
}

test.each([
  'master',
  'agent',
  'upgrade',
  'uninstall',
  'check',
  'sample-image',
  'up',
  'down',
  'build',
  'release',
  'test',
])('%s --help prints the usage of the command, and does nothing', (command) => {
  for (const args of [
    [command, '--help'],
    [command, '--yes', '-h'],
    ['help', command],
  ]) {
    const { status, stdout, stderr } = run(...args);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')[0]).toMatch(new RegExp(`^usage: ./install.sh ${command}\\b`));
  }
});

test('a command is explained with its own options', () => {
  expect(run('master', '--help').stdout).toMatch(/--listen(?!.*--node-name)/s);
  expect(run('agent', '--help').stdout).toMatch(/^(?!.*--listen).*--node-name/s);
  const { stdout } = run('--help');
  for (const option of ['--listen', '--node-name', '--keep-data', '--side', './install.sh up']) {
    expect(stdout).toContain(option);
  }
});

test('a wrong call is one sentence that names it, and ends with 2', () => {
  const unknown = 'install.sh: unknown command "frob"; ./install.sh --help lists them\n';
  expect(run('frob')).toEqual({ status: 2, stdout: '', stderr: unknown });
  expect(run('frob', '--help')).toEqual({ status: 2, stdout: '', stderr: unknown });
  expect(run()).toMatchObject({ status: 2, stdout: '' });
  for (const args of [['--frob'], ['frob'], ['--timeout', '0'], ['--side', 'x'], ['--yes=x']]) {
    const { status, stderr } = run('upgrade', ...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^install\.sh: [^\n]+\n$/);
  }
});

test('a dry run of a check ends well, and says what --fix would do', () => {
  const { status, stdout, stderr } = run('check', '--dry-run', '--fix');
  expect(status).toBe(0);
  expect(`${stdout}${stderr}`).toMatch(/--fix would turn the memory controller on/);
  expect(stderr).toContain('this was a dry run: nothing was changed');
});
