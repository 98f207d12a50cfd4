import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const repository = new URL('..', import.meta.url).pathname;

/** What install/sides.sh takes for the last words of skerry-agent; systemd and its journal, whose `entries` these are, are played. */
function lastWords(entries: readonly string[]): string {
  const script = `set -eu
. ${repository}install/sides.sh
restarted=0
systemctl() { case $* in *InvocationID*) echo 1 ;; *Result*) echo exit-code ;; esac; }
journalctl() { case $* in *--unit*) tail -n "$(echo "$*" | sed 's/.* -n \\([0-9]*\\) .*/\\1/')" ;; esac; }
last_words agent`;
  const input = entries.map((entry) => `${entry}\n`).join('');
  const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8', input });
  expect(stderr).toBe('');
  return stdout.trimEnd();
}

const FAREWELL = '{"level":"info","message":"stopping: pods go on running","why":"SIGTERM"}';

test('the last words are what the program said last, without the frame of its log', () => {
  const failed = '<3>{"level":"error","message":"the key \\"a\\" is damaged; trying again in 3 s"}';
  expect(lastWords([FAREWELL, failed])).toBe('the key "a" is damaged');
  expect(lastWords(['<3>skerry agent: port 6443 is taken'])).toBe('port 6443 is taken');
});

test('the farewell of the process before is never taken for them, also when it comes late', () => {
  expect(lastWords(['skerry agent: this release is broken', FAREWELL])).toBe(
    'this release is broken',
  );
  expect(lastWords([FAREWELL])).toBe('it ended without a word: exit-code');
});
