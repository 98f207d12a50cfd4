// Runs lint, types, dead code, unit tests and end-to-end tests in turn; stops at the first that fails. Closes with the count of tests.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const report = (project) => join(root, '.cache', `tests-${project}.json`);

const steps = [
  ['lint', ['npm', 'run', '-s', 'lint']],
  ['types', ['npm', 'run', '-s', 'types']],
  ['dead code', ['npm', 'run', '-s', 'dead-code']],
  ...['unit', 'e2e'].map((project) => [
    `${project} tests`,
    ['npx', 'vitest', 'run', '--config', '.ci/vitest.config.ts', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report(project)}`],
  ]),
];

for (const project of ['unit', 'e2e']) rmSync(report(project), { force: true });
let failedStep;
for (const [name, [command, ...args]] of steps) {
  console.log(`==> ${name}`);
  const started = Date.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  console.log(`==> ${name}: ${status === 0 ? 'passed' : 'FAILED'} in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  if (status !== 0) {
    failedStep = name;
    break;
  }
}

const counts = ['unit', 'e2e'].map((project) => {
  try {
    return JSON.parse(readFileSync(report(project), 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0 };
  }
});
const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
if (failedStep !== undefined) console.log(`stopped at: ${failedStep}`);
console.log(`${sum('numPassedTests')} passed, ${sum('numFailedTests')} failed`);
process.exit(failedStep === undefined ? 0 : 1);
