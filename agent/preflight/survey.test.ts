import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { CommandError } from '../host/command.ts';
import {
  isDenial,
  parseDroppingChains,
  parseRouteList,
  surveyMachine,
  versionIn,
} from './survey.ts';

test.each([
  ['podman version 4.3.1\n', '4.3.1'],
  ['crun version 1.8.1\ncommit: f8a0\n', '1.8.1'],
  ['ip utility, iproute2-6.1.0, libbpf 1.1.0\n', '6.1.0'],
  ['containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20\n', '1.6.20'],
  ['unshare from util-linux 2.38.1\n', '2.38.1'],
])('the version in %j', (text, version) => {
  expect(versionIn(text)).toBe(version);
});

test('chains that drop what is forwarded are found, those that accept are not', () => {
  const text = `table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy drop;
	}
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
}
table inet firewalld {
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy accept;
	}
}
`;
  expect(parseDroppingChains(text)).toEqual(['ip filter FORWARD']);
});

test('routes of Skerry are told from those of others', () => {
  const routes = [
    { dst: 'default', gateway: '192.168.1.1', dev: 'eth0' },
    { dst: '10.42.1.0/24', gateway: '192.168.1.21', dev: 'eth0', protocol: '83' },
    { dst: '10.42.0.7', dev: 'sk1a2b3c4d5e6f7', scope: 'link' },
    { dst: '10.8.0.0/24', dev: 'wg0', protocol: 'kernel' },
  ];
  expect(parseRouteList(JSON.stringify(routes))).toEqual([
    { destination: '10.42.1.0/24', device: 'eth0', isOurs: true },
    { destination: '10.42.0.7/32', device: 'sk1a2b3c4d5e6f7', isOurs: true },
    { destination: '10.8.0.0/24', device: 'wg0', isOurs: false },
  ]);
});

test('only what is refused to an engine or to Skerry is a denial', () => {
  const line = (comm: string) =>
    `audit: type=1400 apparmor="DENIED" operation="open" profile="x" comm="${comm}"`;
  expect(isDenial(line('crun'))).toBe(true);
  expect(isDenial(line('firefox'))).toBe(false);
  expect(isDenial('avc:  denied  { write } for comm="conmon" scontext=x')).toBe(true);
});

test('a machine without any of the programs is surveyed all the same', async () => {
  const survey = await surveyMachine({
    dataDir: `${tmpdir()}/not/there/yet`,
    server: undefined,
    isRoot: true,
    nodeMajor: 20,
    nowMs: () => 7,
    run: async (file) => {
      throw new CommandError('missing', `${file}: not found`, {});
    },
  });
  expect(survey).toMatchObject({
    podman: undefined,
    tools: {},
    routes: [],
    droppingForwardChains: undefined,
    time: { nowMs: 7 },
    disk: { path: tmpdir() },
    probes: {},
  });
});

test('what there is no tool for is not tried, and what is tried says why it fails', async () => {
  const survey = await surveyMachine({
    dataDir: tmpdir(),
    server: undefined,
    isRoot: true,
    nodeMajor: 20,
    nowMs: () => 7,
    run: async (file, args) => {
      if (args.includes('--version') || args.includes('-V')) {
        if (file === 'unshare') return { exitCode: 0, stdout: 'util-linux 2.38.1\n', stderr: '' };
        throw new CommandError('missing', `${file}: not found`, {});
      }
      throw new CommandError('exit', 'exit code 1', { stderr: 'Operation not permitted\n' });
    },
  });
  expect(survey.tools).toEqual({ unshare: '2.38.1' });
  expect(Object.keys(survey.probes)).toEqual(['namespaces', 'overlay']);
  expect(survey.probes.overlay).toEqual({ works: false, detail: 'Operation not permitted' });
});
