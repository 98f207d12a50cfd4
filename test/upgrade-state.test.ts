import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** install/upgrade.sh with its own steps, on a folder; only systemd, and what a release does when it is started, are played. */
const repository = new URL('..', import.meta.url).pathname;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-upgrade-state-'));
  for (const [name, format] of [
    ['old', 1],
    ['new', 2],
  ] as const) {
    mkdirSync(join(folder, `lib/releases/${name}`), { recursive: true });
    writeFileSync(join(folder, `lib/releases/${name}/STATE_FORMAT`), `${format}\n`);
  }
  symlinkSync('releases/old', join(folder, 'lib/agent'));
  mkdirSync(join(folder, 'state/agent/pods'), { recursive: true });
  write('format', '1 0.1.0\n');
  write('identity.json', 'old');
  write('pods/volume', 'data');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (name: string) => join(folder, 'state/agent', name);
const write = (name: string, text: string) => writeFileSync(path(name), text);
const read = (name: string) => readFileSync(path(name), 'utf8');
const kept = () => existsSync(join(folder, 'state/.before-agent'));
const runs = () =>
  execFileSync('readlink', [join(folder, 'lib/agent')], { encoding: 'utf8' }).trim();

/** `newStart` is what the new release does to $state/agent; its exit code says whether it comes up. */
function upgrade(target: string, { newStart = 'true', before = '' } = {}) {
  const script = `set -eu
say() { echo "$*"; }
fail() { echo "install.sh: $*" >&2; exit 1; }
root= lib=${folder}/lib state=${folder}/state SKERRY_DRY_RUN=false SKERRY_ROLLBACK=false
. ${repository}install/steps.sh
. ${repository}install/programs.sh
. ${repository}install/sides.sh
. ${repository}install/upgrade.sh
systemctl() { case $1 in is-active) return 1 ;; *) echo "systemctl $*" ;; esac; }
switch_side() { [ "$(readlink "$lib/$1")" = "$2" ] || point "$lib/previous-$1" "$(readlink "$lib/$1")"; point "$lib/$1" "$2"; }
wait_until_up() { case $(readlink "$lib/$1") in releases/new) ${newStart} ;; *) true ;; esac; }
last_words() { echo "it failed"; }
remove_old_releases() { :; }
${before}
release=${target}
upgrade_side agent`;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const RAISES =
  'echo "2 0.2.0" >"$state/agent/format"; echo new >"$state/agent/identity.json"; echo x >"$state/agent/added"; echo more >"$state/agent/pods/volume"';

test('a release that changes the form of the state and fails gets the former state put back', () => {
  const { status, stderr } = upgrade('new', { newStart: `${RAISES}; false` });
  expect(stderr).toMatch(/the upgrade of agent to new failed \(it failed\), and old runs again/);
  expect(status).toBe(1);
  expect([runs(), read('format'), read('identity.json')]).toEqual([
    'releases/old',
    '1 0.1.0\n',
    'old',
  ]);
  expect([existsSync(path('added')), kept()]).toEqual([false, false]);
  // The pods' own: they went on running.
  expect(read('pods/volume')).toBe('more\n');
});

test('one that comes up keeps its state, and no copy stays', () => {
  expect(upgrade('new', { newStart: RAISES })).toMatchObject({ status: 0, stderr: '' });
  expect([runs(), read('identity.json'), kept()]).toEqual(['releases/new', 'new\n', false]);
});

test('a run that was killed after the new release started is ended by the next one', () => {
  const killed = upgrade('new', { newStart: `${RAISES}; kill -9 $$` });
  expect(killed.status).toBeNull();
  expect([runs(), kept()]).toEqual(['releases/new', true]);
  expect(statSync(join(folder, 'state/.before-agent')).mode & 0o777).toBe(0o700);
  expect(upgrade('new', { newStart: 'false' }).stderr).toContain('old runs again');
  expect([runs(), read('identity.json'), kept()]).toEqual(['releases/old', 'old', false]);
});

test('a release that cannot read the state is refused before anything is changed', () => {
  write('format', '2 0.2.0\n');
  rmSync(join(folder, 'lib/agent'));
  symlinkSync('releases/new', join(folder, 'lib/agent'));
  const { status, stdout, stderr } = upgrade('old');
  expect(stderr).toMatch(/old cannot read the state of agent, .* nothing was changed/);
  expect([status, runs(), stdout]).toEqual([1, 'releases/new', '']);
});

test('a state that cannot be copied is not upgraded, and the side is started again', () => {
  const { status, stdout, stderr } = upgrade('new', { before: 'cp() { return 1; }' });
  expect(stderr).toMatch(/could not be copied.* it was not upgraded, and runs as before/);
  expect(stdout).toMatch(/systemctl stop skerry-agent\nsystemctl start --no-block skerry-agent\n/);
  expect([status, runs(), kept()]).toEqual([1, 'releases/old', false]);
});

test('a release of the same form is switched to without a stop or a copy', () => {
  writeFileSync(join(folder, 'lib/releases/new/STATE_FORMAT'), '1\n');
  const { status, stdout } = upgrade('new');
  expect(status).toBe(0);
  expect(stdout).not.toContain('systemctl stop');
});
