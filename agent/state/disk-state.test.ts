import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Logger } from '../../shared/logger.ts';
import type { WireDocument } from '../../shared/wire/desired-messages.ts';
import type { DesiredMark } from './commit.ts';
import { DiskState } from './disk-state.ts';

const silent: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silent,
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-state-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const logFile = () => join(folder, 'state.log');
const logBytes = () => statSync(logFile()).size;

async function opened(unseal: (document: WireDocument) => never | object = () => ({})) {
  const state = new DiskState({ folder, unseal: unseal as never, logger: silent });
  await state.open();
  return state;
}

function pod(name: string, version: string): WireDocument {
  return { key: `pods/default/${name}`, version, object: { metadata: { name } } };
}

function markOf(generation: number): DesiredMark {
  return { epoch: 1, term: 1, generation, hash: `h${generation}` };
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

  await Promise.all(
    Array.from({ length: 50 }, (_, n) => state.savePodRecord(`u${n}`, { phase: 'Failed' })),
  );
  const lines = readFileSync(logFile(), 'utf8').split('\n').length - 1;
  expect(lines).toBeLessThanOrEqual(3);
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
