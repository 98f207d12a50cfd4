import { describe, expect, it } from 'vitest';
import { containerSpec } from './container-spec-builder.ts';
import { createCall, globalArguments, type PodmanMachine } from './podman-arguments.ts';
import { reachableLimits } from './podman-engine.ts';
import type { ContainerSpec } from './runtime.ts';

const MACHINE: PodmanMachine = { ulimits: [], cgroupVersion: 2 };

const NO_IMAGE_SETTINGS = { user: '', env: [] };

function argsOf(changes: Partial<ContainerSpec> = {}, user = ''): string[] {
  return createCall(containerSpec(changes), MACHINE, { user, env: [] }).args;
}

function secured(security: Partial<ContainerSpec['security']>): Partial<ContainerSpec> {
  return { security: { ...containerSpec().security, ...security } };
}

describe('createCall', () => {
  it('never pulls, and never asks for a network of podman’s own', () => {
    const args = argsOf();
    expect(args).toContain('--pull=never');
    expect(args.filter((arg) => arg.startsWith('--network'))).toEqual([
      '--network=ns:/run/pins/net',
    ]);
    const host = argsOf({ namespaces: { network: 'host', ipc: 'host', uts: 'host' } });
    expect(host).toEqual(expect.arrayContaining(['--network=host', '--ipc=host', '--uts=host']));
    expect([...args, ...host].some((arg) => arg.startsWith('--hostname'))).toBe(false);
  });

  it('keeps values of the environment out of the arguments', () => {
    const { args, env } = createCall(
      containerSpec({ env: [{ name: 'PASSWORD', value: 's3cret' }] }),
      MACHINE,
      NO_IMAGE_SETTINGS,
    );
    expect(env['PASSWORD']).toBe('s3cret');
    expect(args).toContain('--env=PASSWORD');
    expect(args.join(' ')).not.toContain('s3cret');
  });

  it.each([
    'PATH',
    'HOME',
    'LD_PRELOAD',
    'CONTAINERS_CONF',
    'CONTAINER_HOST',
    'TMPDIR',
    'https_proxy',
    'XDG_RUNTIME_DIR',
    'GODEBUG',
    'odd name',
    'STAR*',
  ])('%s of a container does not become podman’s own', (name) => {
    const call = createCall(
      containerSpec({ env: [{ name, value: 'x' }] }),
      MACHINE,
      NO_IMAGE_SETTINGS,
    );
    expect(call.env).not.toHaveProperty([name]);
    expect(call.args).toContain(`--env=${name}=x`);
  });

  it('ends with the image and args, with command as the entry point', () => {
    expect(argsOf().at(-1)).toBe('localhost/app:1');
    expect(argsOf({ args: ['-v', 'x'] }).slice(-3)).toEqual(['localhost/app:1', '-v', 'x']);
    expect(argsOf({ command: ['a', 'b c'], args: ['d'] }).slice(-3)).toEqual([
      '--entrypoint=["a","b c"]',
      'localhost/app:1',
      'd',
    ]);
  });

  it('a memory limit allows no swap beside it', () => {
    expect(argsOf({ limits: { cpuShares: 2, oomScoreAdj: 0, memoryBytes: 4096 } })).toEqual(
      expect.arrayContaining(['--memory=4096b', '--memory-swap=4096b', '--pids-limit=-1']),
    );
  });

  it('commas and quotes in a path stay in their field', () => {
    const mounts = [{ source: '/a,b "c"', target: '/d', readOnly: true }];
    expect(argsOf({ mounts })).toContain(
      '--mount=type=bind,"source=/a,b ""c""",target=/d,ro=true,bind-propagation=rprivate',
    );
  });

  it('a user other than root is handed no capability, by the spec or by the image', () => {
    const wanted = secured({ addCapabilities: ['NET_ADMIN'], dropCapabilities: ['KILL'] });
    for (const args of [argsOf(wanted, '1000'), argsOf(secured({ user: '1000:1' }))]) {
      expect(args.some((arg) => arg.startsWith('--cap-add'))).toBe(false);
    }
    expect(argsOf(wanted, '1000')).toContain('--cap-drop=KILL');
    expect(argsOf(wanted, 'root')).toContain('--cap-add=NET_ADMIN');
  });

  it('privileged is given alone, without escalation it is no-new-privileges', () => {
    const args = argsOf(secured({ privileged: true, addCapabilities: ['NET_ADMIN'] }));
    expect(args).toContain('--privileged');
    expect(args.some((arg) => arg.startsWith('--cap-'))).toBe(false);
    expect(argsOf(secured({ allowPrivilegeEscalation: false }))).toContain(
      '--security-opt=no-new-privileges',
    );
  });
});

it('names another OCI runtime only where it must', () => {
  expect(globalArguments({})).toEqual(['--cgroup-manager=cgroupfs', '--events-backend=none']);
  expect(globalArguments({ ociRuntime: 'runc' })).toContain('--runtime=runc');
});

it('limits stay below the hard ones and the highest pid', () => {
  const hard = { openFilesHard: 20_000, processesHard: 96_365 };
  expect(reachableLimits(hard, 32_768)).toEqual(['nofile=20000:20000', 'nproc=32768:32768']);
  const none = { openFilesHard: Number.POSITIVE_INFINITY, processesHard: Number.POSITIVE_INFINITY };
  expect(reachableLimits(none, 4_194_304)).toEqual([
    'nofile=1048576:1048576',
    'nproc=1048576:1048576',
  ]);
});
