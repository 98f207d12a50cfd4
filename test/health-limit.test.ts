import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const repository = new URL('..', import.meta.url).pathname;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-health-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Whether install.sh takes a side for healthy whose `skerry` is this script; its patience is a second. */
function exitCode(question: string, skerry: string): number | null {
  for (const link of ['master', 'current']) {
    mkdirSync(join(folder, link, 'bin'), { recursive: true });
    writeFileSync(join(folder, link, 'bin/skerry'), `#!/bin/sh\n${skerry}\n`, { mode: 0o755 });
  }
  const script = `. ${repository}install/sides.sh
lib=${folder} state=${folder} patience=1
${question}`;
  return spawnSync('sh', ['-c', script], { timeout: 15_000 }).status;
}

test.each(['is_healthy master', 'has_link'])('%s: yes, no, or no answer in time', (question) => {
  expect(exitCode(question, 'exit 0')).toBe(0);
  expect(exitCode(question, 'exit 1')).not.toBe(0);
  expect(exitCode(question, 'exec sleep 30')).toBeGreaterThan(0);
});

test('a side that takes connections and answers none is waited for no longer than --timeout says', () => {
  const wait = `set -eu
. ${repository}install/steps.sh
SKERRY_DRY_RUN=false SKERRY_TIMEOUT=3 former_pid=1
sleep() { :; }
systemctl() { case $* in *SubState*) echo running ;; *MainPID*) echo 2 ;; esac; }
wait_until_up master`;
  const begun = performance.now();
  expect(exitCode(wait, 'exec sleep 30')).toBe(1);
  expect(performance.now() - begun).toBeLessThan(8000);
  expect(exitCode(wait, 'exit 0')).toBe(0);
});
