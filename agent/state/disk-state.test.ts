import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { WireDocument } from '../../shared/wire/desired-messages.ts';
import { CollectingLogger } from '../../test/builders/collecting-logger.ts';
import type { DesiredMark } from './commit.ts';
import { DiskState } from './disk-state.ts';

let folder: string;
let log: CollectingLogger;
beforeEach(() => {
  log = new CollectingLogger();
  folder = mkdtempSync(join(tmpdir(), 'skerry-state-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const logFile = () => join(folder, 'state.log');
const damagedFile = () => join(folder, 'state.log.damaged');
const logBytes = () => statSync(logFile()).size;

async function opened(unseal: (document: WireDocument) => never | object = () => ({})) {
  const state = new DiskState({ folder, unseal: unseal as never, logger: log });
  await state.open();
  return state;
}

function pod(name: string, version: string): WireDocument {
  return { key: `pods/default/${name}`, version, object: { metadata: { name } } };
}

function markOf(generation: number): DesiredMark {
  return { epoch: 0, term: 1, generation, hash: `h${generation}` };
}

test('documents, their mark, pod records and the count of starts come back after a restart', async () => {
  const first = await opened();
  expect(first.mark.generation).toBe(0);
  await first.saveDesired({ mark: markOf(7), puts: [pod('b', '1'), pod('a', '1')], deletes: [] });
  await first.savePodRecord('u1', { restarts: 3 });
  expect(await first.countStart()).toBe(1);
  await first.close();

  const second = await opened();
  expect(second.mark).toEqual(markOf(7));
  expect(second.list('pods/').map(({ key }) => key)).toEqual(['pods/default/a', 'pods/default/b']);
  expect(second.podRecord('u1')).toEqual({ restarts: 3 });
  expect(await second.countStart()).toBe(2);
  expect(statSync(logFile()).mode & 0o777).toBe(0o600);
  await second.close();
});

test('listeners hear of a change after it is on disk', async () => {
  const state = await opened();
  const heard: { keys: readonly string[]; bytes: number }[] = [];
  state.subscribe((keys) => heard.push({ keys, bytes: logBytes() }));
  await state.saveDesired({ mark: markOf(1), puts: [pod('a', '1')], deletes: [] });
  await state.saveDesired({ mark: markOf(2), puts: [], deletes: ['pods/default/a', 'pods/x/y'] });
  expect(heard.map(({ keys }) => keys)).toEqual([['pods/default/a'], ['pods/default/a']]);
  expect(heard[0]?.bytes).toBeGreaterThan(0);
  await state.close();
});

test('an equal pod record writes nothing, and records that come together share one write', async () => {
  const state = await opened();
  await state.savePodRecord('u1', { phase: 'Running' });
  const before = logBytes();
  await state.savePodRecord('u1', { phase: 'Running' });
  await state.savePodRecord('u2', undefined);
  expect(logBytes()).toBe(before);

  const lines = () => readFileSync(logFile(), 'utf8').split('\n').length - 1;
  const linesBefore = lines();
  await Promise.all(
    Array.from({ length: 50 }, (_, n) => state.savePodRecord(`u${n}`, { phase: 'Failed' })),
  );
  expect(lines() - linesBefore).toBeLessThanOrEqual(2);
  await state.close();
});

test('a Secret lies sealed on disk and is opened when asked for', async () => {
  const sealed: WireDocument = {
    key: 'secrets/default/s',
    version: '1',
    object: { kind: 'Secret' },
    sealed: 'c2VhbGVk',
  };
  const state = await opened(({ sealed }) => {
    if (sealed !== 'c2VhbGVk') throw new Error('another key');
    return { kind: 'Secret', data: { password: 'aHVudGVyMg==' } };
  });
  await state.saveDesired({ mark: markOf(1), puts: [sealed], deletes: [] });
  expect(state.get('secrets/default/s')?.object['data']).toEqual({ password: 'aHVudGVyMg==' });
  expect(readFileSync(logFile(), 'utf8')).not.toContain('aHVudGVyMg==');
  await state.saveDesired({ mark: markOf(2), puts: [{ ...sealed, sealed: 'eA==' }], deletes: [] });
  expect(state.get('secrets/default/s')).toBeUndefined();
  await state.close();
});

test('the log is rewritten when it has grown, and holds the same afterwards', async () => {
  const state = await opened();
  await state.saveDesired({ mark: markOf(1), puts: [pod('a', '1')], deletes: [] });
  const filler = 'x'.repeat(20_000);
  for (let n = 0; n < 40; n += 1) await state.savePodRecord('u', { n, filler });
  expect(logBytes()).toBeLessThan(300_000);
  await state.close();
  const again = await opened();
  expect(again.podRecord('u')).toEqual({ n: 39, filler });
  expect(again.mark).toEqual(markOf(1));
  await again.close();
});

test('a log that is cut at any byte, or ends in zeros or noise, opens at the last whole change', async () => {
  const state = await opened();
  const begun = logBytes();
  const ends = [0];
  for (let n = 1; n <= 12; n += 1) {
    await state.saveDesired({
      mark: markOf(n),
      puts: [pod(`p${n}`, `v${n} \u2028 ü`)],
      deletes: n > 3 ? [`pods/default/p${n - 3}`] : [],
    });
    ends.push(logBytes());
  }
  await state.close();
  const whole = readFileSync(logFile());

  await fc.assert(
    fc.asyncProperty(
      fc.nat(whole.length),
      fc.oneof(
        fc.constant(new Uint8Array()),
        fc.nat(300).map((count) => new Uint8Array(count)),
        fc.uint8Array({ maxLength: 300 }),
      ),
      async (cut, tail) => {
        writeFileSync(logFile(), Buffer.concat([whole.subarray(0, cut), tail]));
        const reopened = await opened();
        const commits = ends.filter((end) => end <= cut).length - 1;
        const alive = [commits - 2, commits - 1, commits].filter((n) => n > 0);
        expect(reopened.mark.generation).toBe(commits);
        expect(reopened.isKnown).toBe(commits > 0);
        // A log has a whole line from its beginning on.
        expect(existsSync(damagedFile())).toBe(cut < begun);
        rmSync(damagedFile(), { force: true });
        expect([...reopened.versions().values()].sort()).toEqual(
          alive.map((n) => `v${n} \u2028 ü`).sort(),
        );
        // It goes on from there.
        await reopened.savePodRecord('u', { after: 1 });
        await reopened.close();
        const once = await opened();
        expect(once.podRecord('u')).toEqual({ after: 1 });
        expect(once.mark.generation).toBe(commits);
        await once.close();
      },
    ),
    { numRuns: 60 },
  );
});

test('a new log knows nothing of what the master wants until its first full set, be it empty', async () => {
  const state = await opened();
  const heard: (readonly string[])[] = [];
  state.subscribe((keys) => heard.push(keys));
  await state.countStart();
  expect(state.isKnown).toBe(false);
  expect(heard).toEqual([]);
  await state.saveDesired({ mark: markOf(1), puts: [], deletes: [] });
  expect(state.isKnown).toBe(true);
  expect(heard).toEqual([[]]);
  await state.close();
  const again = await opened();
  expect(again.isKnown).toBe(true);
  expect(log.lines).toEqual([]);
  expect(existsSync(damagedFile())).toBe(false);
  await again.close();
});

test.each([
  ['noise from its first byte', (whole: Buffer) => Buffer.alloc(whole.length, 'noise\n')],
  ['zeros', (whole: Buffer) => Buffer.alloc(whole.length)],
  ['a cut in its first line', (whole: Buffer) => whole.subarray(0, 20)],
  ['nothing any more', () => Buffer.alloc(0)],
  [
    'noise before a whole line',
    (whole: Buffer) => {
      const noisy = Buffer.from(whole);
      noisy.write('#', whole.indexOf('pods/default/b'));
      return noisy;
    },
  ],
])(
  'a log that is damaged (%s) is said and kept, and what the master wants is not known',
  async (_, damage) => {
    const first = await opened();
    await first.saveDesired({ mark: markOf(1), puts: [pod('a', '1')], deletes: [] });
    await first.saveDesired({ mark: markOf(2), puts: [pod('b', '1')], deletes: [] });
    await first.savePodRecord('u', { restarts: 3 });
    await first.close();
    const damaged = damage(readFileSync(logFile()));
    writeFileSync(logFile(), damaged);
    writeFileSync(damagedFile(), 'of an earlier time');

    for (let start = 1; start <= 2; start += 1) {
      const state = await opened();
      expect(log.lines).toHaveLength(1);
      expect(log.lines[0]).toMatch(/^error /);
      expect(log.lines[0]).toContain(`${logFile()} is damaged`);
      expect(log.lines[0]).toContain('state.log.damaged');
      expect(readFileSync(damagedFile())).toEqual(damaged);
      expect(state.isKnown).toBe(false);
      expect(state.list('')).toEqual([]);
      // What whole lines say of runs that are over is as good as before.
      const isLineLeft = damaged.includes('restarts');
      expect(state.podRecord('u')).toEqual(isLineLeft ? { restarts: 3 } : undefined);
      await state.close();
    }

    const state = await opened();
    await state.saveDesired({ mark: markOf(3), puts: [pod('b', '2')], deletes: [] });
    await state.close();
    const again = await opened();
    expect(again.isKnown).toBe(true);
    expect(again.list('pods/').map(({ key }) => key)).toEqual(['pods/default/b']);
    expect(log.lines).toHaveLength(1);
    await again.close();
  },
);

test('a torn last line is no damage', async () => {
  const first = await opened();
  await first.saveDesired({ mark: markOf(1), puts: [pod('a', '1')], deletes: [] });
  await first.saveDesired({ mark: markOf(2), puts: [pod('b', '1')], deletes: [] });
  await first.close();
  const whole = readFileSync(logFile());
  writeFileSync(logFile(), whole.subarray(0, whole.length - 5));
  const state = await opened();
  expect(state.mark.generation).toBe(1);
  expect(state.isKnown).toBe(true);
  expect(log.lines).toEqual([expect.stringMatching(/^warn .*broken write/)]);
  expect(existsSync(damagedFile())).toBe(false);
  await state.close();
});
