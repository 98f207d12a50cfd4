import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** Single steps of install.sh, on a folder. */
const repository = new URL('..', import.meta.url).pathname;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-install-steps-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What the script's parts, told to run `script`, say: standard output, or the one sentence of a failure. */
function said(script: string): string {
  const parts = ['steps', 'options', 'preflight', 'programs'].map(
    (name) => `. ${repository}install/${name}.sh`,
  );
  const settings = `set -eu
root= lib=${folder}/lib etc=${folder}/etc state=${folder}/state SKERRY_DRY_RUN=false
fail() { echo "install.sh: $*"; exit 1; }
say() { echo "==> $*"; }`;
  const { stdout, stderr } = spawnSync('sh', ['-c', [settings, ...parts, script].join('\n')], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout.replaceAll(`${folder}/`, '');
}

const read = (path: string) => readFileSync(join(folder, path), 'utf8');
const modeOf = (path: string) => statSync(join(folder, path)).mode & 0o777;

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}

test.each(['state', 'etc'])(
  "a folder that is there for root alone, %s, becomes a way for the master's user",
  (name) => {
    mkdirSync(join(folder, name));
    chmodSync(join(folder, name), 0o700);
    said(`make_way ${folder}/${name}`);
    expect(modeOf(name)).toBe(0o711);
    expect(said(`make_way ${folder}/${name}; echo $changes`)).toBe('0\n');
  },
);

test('a way that is made is open to all', () => {
  said(`umask 077; make_way ${folder}/state`);
  expect(modeOf('state')).toBe(0o755);
});

const OPTIONS = `
each_option default_option
SKERRY_SERVER=https://192.0.2.1:6443 SKERRY_NODE_NAME=pi`;

test('a configuration file is written once, with every option in the place of its example', () => {
  mkdirSync(join(folder, 'etc'));
  write('lib/current/config/agent.yaml', '# about\n#server: https://HOST\n\n#runtime: podman\n');
  expect(said(`${OPTIONS}; configure agent`)).toBe('    wrote etc/agent.yaml\n');
  expect(read('etc/agent.yaml')).toBe(
    '# about\nserver: "https://192.0.2.1:6443"\n\n#runtime: podman\nnodeName: "pi"\ntokenFile: "/etc/skerry/join-token"\n',
  );
  expect(said(`${OPTIONS}; configure agent`)).not.toContain('wrote');
});

test('a line that an administrator wrote is set where it is; all else, and the mode, stay', () => {
  write('etc/agent.yaml', '# mine\n#nodeName: x\nnodeName: y\ntokenFile: /t\n\n\n');
  chmodSync(join(folder, 'etc/agent.yaml'), 0o600);
  said(`${OPTIONS}; configure agent`);
  expect(read('etc/agent.yaml')).toBe(
    '# mine\n#nodeName: x\nnodeName: "pi"\ntokenFile: "/etc/skerry/join-token"\n\n\nserver: "https://192.0.2.1:6443"\n',
  );
  expect(modeOf('etc/agent.yaml')).toBe(0o600);
});

test('a cluster that has run keeps its ranges of addresses, with a configuration file or without', () => {
  write('state/master/initialised', '');
  expect(said(`${OPTIONS}; check_ranges`)).toBe('');
  write('etc/master.yaml', 'clusterCidr: "10.112.0.0/16"\n');
  for (const [option, variable, value, present] of [
    ['--service-cidr', 'SERVICE_CIDR', '10.113.0.0/16', '10.43.0.0/16'],
    ['--cluster-cidr', 'CLUSTER_CIDR', '10.42.0.0/16', '10.112.0.0/16'],
    ['--node-cidr-mask-size', 'NODE_CIDR_MASK_SIZE', '25', '24'],
  ] as const) {
    expect(said(`${OPTIONS}; SKERRY_${variable}=${value}; check_ranges`)).toContain(
      `install.sh: ${option} ${value}: this cluster has ${present}`,
    );
  }
});

test('who passes the release of this machine on is told what the device needs', () => {
  const printed = () =>
    said('SKERRY_TOKEN=; server_for_devices() { echo https://192.0.2.1; }; print_join_command');
  expect(printed()).toContain('iproute2 conntrack nodejs)');
  write('lib/current/node/bin/node', '');
  chmodSync(join(folder, 'lib/current/node/bin/node'), 0o755);
  expect(printed()).toContain('iproute2 conntrack)');
});
