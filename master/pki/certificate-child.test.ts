import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { CertificateChild } from './certificate-child.ts';
import type { CertificateJob } from './certificate-job.ts';

const root = mkdtempSync(join(tmpdir(), 'skerry-child-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Refuses every job in the name of its subject; a run writes a line, and one that holds the job `broken` fails. */
function childThatNotes(runs: string): CertificateChild {
  const program = `
    const { appendFileSync, readFileSync } = require('node:fs');
    const jobs = JSON.parse(readFileSync(0, 'utf8')).map(({ subject }) => subject.commonName);
    appendFileSync(process.argv[1], jobs.length + '\\n');
    if (jobs.includes('broken')) process.exit(3);
    process.stdout.write(JSON.stringify(jobs.map((refused) => ({ refused }))));
  `;
  return new CertificateChild([process.execPath, '-e', program, runs]);
}

const jobOf = (commonName: string) => ({ subject: { commonName } }) as CertificateJob;

test('what is asked while a child runs goes to the next one together, and each gets its own', async () => {
  const runs = join(root, 'together');
  const child = childThatNotes(runs);
  const names = Array.from({ length: 20 }, (_, n) => `pi-${n}`);
  const outcomes = await Promise.all(names.map((name) => child.issue([jobOf(name), jobOf('x')])));
  expect(outcomes).toEqual(names.map((name) => [{ refused: name }, { refused: 'x' }]));
  expect(readFileSync(runs, 'utf8')).toBe('2\n38\n');
});

test('a child that fails fails those that it ran for, and no others', async () => {
  const child = childThatNotes(join(root, 'failing'));
  const first = child.issue([jobOf('broken')]);
  const second = child.issue([jobOf('whole')]);
  await expect(first).rejects.toThrow('the certificate child ended with 3');
  expect(await second).toEqual([{ refused: 'whole' }]);
});
