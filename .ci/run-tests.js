// Runs lint, types, dead code, unit tests and end-to-end tests in turn; stops at the first step that fails. Closes with what failed, once
// more, since whoever reads a long log begins at its end, and the count of tests.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const cache = join(root, '.cache');
const report = (project) => join(cache, `tests-${project}.json`);

const npm = (script) => ['npm', 'run', '-s', script];
const vitest = (project) => [
  ...['npx', 'vitest', 'run', '--config', '.ci/vitest.config.ts', '--project', project],
  ...['--reporter=default', '--reporter=json', `--outputFile.json=${report(project)}`],
];

/** Those of one step run side by side; what the later ones say is shown when they have ended. */
const steps = [
  { lint: npm('lint') },
  { types: npm('types') },
  { 'dead code': npm('dead-code') },
  { 'unit tests': vitest('unit') },
  { 'e2e tests': vitest('e2e'), 'machine tests': vitest('machines') },
];
const projects = ['unit', 'e2e', 'machines'];

mkdirSync(cache, { recursive: true });
for (const project of projects) rmSync(report(project), { force: true });
let failed = [];
for (const step of steps) {
  const names = Object.keys(step);
  console.log(`==> ${names.join(', ')}`);
  const outcomes = await Promise.all(names.map((name, index) => run(name, step[name], index > 0)));
  failed = names.filter((_, index) => outcomes[index] !== 0);
  if (failed.length > 0) break;
}

const reports = projects.map((project) => {
  try {
    return JSON.parse(readFileSync(report(project), 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, testResults: [] };
  }
});
const sum = (key) => reports.reduce((total, count) => total + count[key], 0);
for (const { name, status, message, assertionResults } of reports.flatMap((r) => r.testResults)) {
  if (status !== 'failed') continue;
  const tests = assertionResults.filter((test) => test.status === 'failed');
  console.log(`FAILED in ${relative(root, name)}${tests.length === 0 ? `: ${message}` : ''}`);
  for (const { title, failureMessages } of tests) {
    console.log(`- ${title}\n${failureMessages.join('\n')}`);
  }
}
if (failed.length > 0) console.log(`stopped at: ${failed.join(', ')}`);
console.log(`${sum('numPassedTests')} passed, ${sum('numFailedTests')} failed`);
process.exit(failed.length === 0 ? 0 : 1);

/** Answers the exit code. */
async function run(name, [command, ...args], isAside) {
  const started = Date.now();
  const log = join(cache, `${name.replaceAll(' ', '-')}.log`);
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', isAside ? 'pipe' : 'inherit', isAside ? 'pipe' : 'inherit'],
  });
  const file = isAside ? createWriteStream(log) : undefined;
  if (file) for (const stream of [child.stdout, child.stderr]) stream.pipe(file, { end: false });
  const status = await new Promise((resolve) => {
    child.once('error', () => resolve(-1));
    child.once('close', resolve);
  });
  if (file) {
    await new Promise((resolve) => file.end(resolve));
    process.stdout.write(readFileSync(log, 'utf8'));
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  console.log(`==> ${name}: ${status === 0 ? 'passed' : 'FAILED'} in ${seconds} s`);
  return status;
}
