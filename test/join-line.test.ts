import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const repository = new URL('..', import.meta.url).pathname;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-join-line-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The line that install.sh prints after it has installed a master, for the device's own shell. */
function printedLine(): string {
  const script = `. ${repository}install/steps.sh
. ${repository}install/programs.sh
SKERRY_DRY_RUN=false changes=0
server_for_devices() { echo https://192.0.2.1:6443; }
print_join_command`;
  const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  return /^ *tar .*$/m.exec(stdout)?.[0] ?? '';
}

test.each(['sh', 'bash'])(
  'the line for ssh runs install.sh in a folder of its own, tells how that ended, and leaves nothing (%s)',
  (shell) => {
    const release = join(folder, 'release');
    const temporary = join(folder, 'tmp');
    mkdirSync(release);
    mkdirSync(temporary);
    const install = '#!/bin/sh\necho "$0 $*"\nexit 3\n';
    writeFileSync(join(release, 'install.sh'), install, { mode: 0o755 });
    const line = printedLine()
      .replace('/usr/lib/skerry/current', release)
      .replace('ssh root@DEVICE', `${shell} -c`);
    const { status, stdout, stderr } = spawnSync('sh', ['-c', line], {
      encoding: 'utf8',
      env: { ...process.env, TMPDIR: temporary },
    });
    expect([status, stderr]).toEqual([3, '']);
    expect(stdout).toMatch(
      /\/tmp\/tmp\.\w+\/install\.sh agent --server https:\/\/192\.0\.2\.1:6443 --token TOKEN\n$/,
    );
    expect(readdirSync(temporary)).toEqual([]);
  },
);
