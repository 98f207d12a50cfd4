import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const repository = new URL('..', import.meta.url).pathname;

/**
 * What install/sides.sh takes for the last words of skerry-agent. systemd and its journal are played: these are the entries of its unit
 * since the start, and the last `ofProcess` of them those of the process that runs now.
 */
function lastWords(entries: readonly string[], ofProcess = 0): string {
  const script = `set -eu
. ${repository}install/sides.sh
restarted=0
systemctl() { case $* in *InvocationID*) echo 1 ;; *Result*) echo exit-code ;; esac; }
journalctl() { case $* in *--unit*) printf %s "$UNIT" ;; *INVOCATION*) printf %s "$PROCESS" ;; esac; }
last_words agent`;
  const lines = (texts: readonly string[]) => texts.map((text) => `${text}\n`).join('');
  const env = {
    ...process.env,
    UNIT: lines(entries),
    PROCESS: lines(entries.slice(entries.length - ofProcess)),
  };
  const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8', env });
  expect(stderr).toBe('');
  return stdout.trimEnd();
}

const FAREWELL = '{"level":"info","message":"stopping: pods go on running","why":"SIGTERM"}';

test('the last words are what the program said last, without the frame of its log', () => {
  const failed = '<3>{"level":"error","message":"the key \\"a\\" is damaged; trying again in 3 s"}';
  expect(lastWords([FAREWELL, failed], 1)).toBe('the key "a" is damaged');
  expect(lastWords(['<3>skerry agent: port 6443 is taken'])).toBe('port 6443 is taken');
});

test('what went wrong is said, also when the program went on with other things after it', () => {
  const refused = '{"level":"error","message":"the master does not serve this device"}';
  const read = '{"level":"info","message":"pods read from the machine","part":"pods"}';
  const sentence = 'the master does not serve this device';
  expect(lastWords([FAREWELL, 'ready: node a', refused, read], 3)).toBe(sentence);
  expect(lastWords([refused, 'ready: node a', read], 2)).toBe(sentence);
  expect(lastWords([FAREWELL, read], 1)).toBe('pods read from the machine');
});

test('the farewell of the process before is never taken for them, also when it comes late', () => {
  expect(lastWords(['skerry agent: this release is broken', FAREWELL])).toBe(
    'this release is broken',
  );
  expect(lastWords([FAREWELL])).toBe('it ended without a word: exit-code');
});
