import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CollectingLogger } from '../../test/builders/collecting-logger.ts';
import { NedbStore, type NedbStoreOptions } from './nedb-store.ts';
import { openSecretCipher } from './secret-cipher.ts';
import { describeStore, isVolatile } from './store.contract.ts';
import type { StoreOperation } from './store.ts';
import { WatchCache } from './watch-cache.ts';

let folder: string;
let path: string;
const opened: NedbStore[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skerry-store-'));
  path = join(folder, 'store.db');
});

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await rm(folder, { recursive: true });
});

async function opening(options: Partial<NedbStoreOptions> = {}): Promise<NedbStore> {
  const store = new NedbStore({ path, isVolatile, ...options });
  opened.push(store);
  await store.open();
  return store;
}

describeStore('the NeDB store', async () => {
  const cipher = await openSecretCipher({ keyFile: join(folder, 'key'), storeFile: path });
  const sealing = { ...bound(cipher), seals: (key: string) => key.includes('/secret/') };
  let store = await opening({ cipher: sealing });
  const reopen = async () => {
    await store.close();
    store = await opening({ cipher: sealing });
    return store;
  };
  return { store, reopen, cleanUp: async () => {} };
});

describe('the file', () => {
  it('starts after the reserved revisions again, so that none is given out twice', async () => {
    const store = await opening({ reserve: 100 });
    await store.txn([], [put('/registry/memory/a', 'A')]);
    const last = store.revision();
    await store.close();
    const again = await opening({ reserve: 100 });
    expect(again.revision()).toBeGreaterThanOrEqual(last);
    expect(again.revision()).toBeLessThanOrEqual(last + 100);
  });

  it('takes no byte while nothing or only volatile records are written', async () => {
    const store = await opening();
    const before = await stat(path);
    for (let index = 0; index < 100; index += 1) {
      await store.txn([], [put('/registry/memory/a', String(index))]);
    }
    const after = await stat(path);
    expect([after.size, after.mtimeMs]).toEqual([before.size, before.mtimeMs]);
  });

  it('takes a new reservation before the old one is used up', async () => {
    const store = await opening({ reserve: 10 });
    for (let index = 0; index < 100; index += 1) {
      await store.txn([], [put('/registry/memory/a', String(index))]);
    }
    const last = store.revision();
    const copy = join(folder, 'copy.db');
    await writeFile(copy, await readFile(path));
    expect((await opening({ path: copy })).revision()).toBeGreaterThanOrEqual(last);
  });

  it('is compacted when it has grown to more than twice of what lives', async () => {
    const store = await opening({ compactFloorBytes: 20_000 });
    let largest = 0;
    for (let index = 0; index < 200; index += 1) {
      await store.txn([], [put('/registry/a', 'x'.repeat(1000))]);
      largest = Math.max(largest, (await stat(path)).size);
    }
    expect(largest).toBeGreaterThan(15_000);
    expect(largest).toBeLessThan(25_000);
    await store.close();
    expect((await (await opening()).get('/registry/a'))?.value).toHaveLength(1000);
  });

  it('that is empty beside the rest of a compaction is refused', async () => {
    const store = await opening();
    await store.txn([], [put('/registry/a', 'A')]);
    await store.close();
    await writeFile(`${path}~`, await readFile(path));
    await truncate(path, 0);
    await expect(opening()).rejects.toThrow(/store\.db is empty, but .*store\.db~ is there/);
    await unlink(path);
    await expect(opening()).rejects.toThrow(/store\.db is missing, but .*store\.db~ is there/);
  });

  it('that is no store is refused', async () => {
    await writeFile(path, 'x'.repeat(10_000));
    await expect(opening()).rejects.toThrow(
      'store.db is damaged (it holds no whole write): put it back',
    );
  });

  it('that is damaged in the middle is refused', async () => {
    const store = await opening();
    for (const key of ['a', 'b', 'c', 'd']) await store.txn([], [put(`/registry/${key}`, key)]);
    await store.close();
    const content = await readFile(path);
    content.fill(0x7a, content.indexOf('/registry/b') - 8, content.indexOf('/registry/b') + 8);
    await writeFile(path, content);
    await expect(opening()).rejects.toThrow(
      /the store cannot be opened: .*store\.db is damaged \(1 of \d+ lines cannot be read\): put it back from a backup/,
    );
  });

  it('with a byte that is another one is read, or refused in a sentence that names it', async () => {
    const files = { keyFile: join(folder, 'secret.key'), storeFile: path };
    const cipher = await openSecretCipher(files);
    const store = await opening({ cipher });
    const boat = (name: string, text: string) =>
      put(
        `/registry//${text === '' ? 'secrets' : 'pods'}/x/${name}`,
        JSON.stringify({ kind: 'Boat', metadata: { namespace: 'x', name }, text: `${text}"\n` }),
      );
    for (const name of ['a', 'b', 'c']) await store.txn([], [boat(name, 'of wood')]);
    await store.txn([], [boat('d', '')]);
    await store.compact();
    for (const name of ['e', 'f', 'g']) await store.txn([], [boat(name, 'of iron'), boat('h', '')]);
    await store.txn([], [remove('/registry//pods/x/e')]);
    await store.txn([], [boat('i', 'of clay')]);
    await store.close();
    const whole = await readFile(path);
    const flip = fc.record({
      at: fc.integer({ min: 0, max: whole.length - 1 }),
      bit: fc.integer({ min: 0, max: 7 }),
    });
    await fc.assert(
      fc.asyncProperty(flip, async ({ at, bit }) => {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        await writeFile(path, changed);
        const damagedStore = new NedbStore({ path, cipher });
        try {
          await damagedStore.open();
          await new WatchCache().follow(damagedStore);
        } catch (error) {
          expect((error as Error).message).toMatch(/store\.db.* (backup|put the right)/);
        } finally {
          await damagedStore.close();
        }
      }),
      { numRuns: 150, examples: [[{ at: whole.indexOf('"json"') + 4, bit: 6 }]] },
    );
  });
});

describe('a damaged tail', () => {
  it('is cut back to the end of a batch: cut, zeroes, garbage', async () => {
    const store = await opening();
    const states = new Map<number, string>();
    for (let index = 0; index < 12; index += 1) {
      states.set((await stat(path)).size, await dump(store));
      const operations = [0, 1, 2].map((part) => put(`/registry/${part}`, `${index}`.repeat(20)));
      await store.txn([], index % 4 === 3 ? [...operations, remove('/registry/1')] : operations);
    }
    states.set((await stat(path)).size, await dump(store));
    await store.close();
    const whole = await readFile(path);
    const first = Math.min(...states.keys());
    const damage = fc.record({
      at: fc.integer({ min: first, max: whole.length }),
      kind: fc.constantFrom('cut', 'zeroes', 'garbage', 'hole'),
      seed: fc.uint8Array({ minLength: 64, maxLength: 64 }),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ at, kind, seed }) => {
        const sizes = [...states.keys()].sort((left, right) => left - right);
        const survives = kind === 'hole' ? (sizes.at(-2) ?? 0) : atOrBefore(sizes, at);
        await writeFile(path, damaged(whole, at, kind, seed, sizes.at(-2) ?? 0));
        const recovered = await opening();
        expect(await dump(recovered)).toBe(states.get(survives));
        await recovered.txn([], [put('/registry/after', 'A')]);
        await recovered.close();
        const again = await opening();
        expect((await again.get('/registry/after'))?.value.toString()).toBe('A');
        await again.close();
      }),
      { numRuns: 40 },
    );
  });
});

describe('what is cut off', () => {
  const logged = async (spoil: (content: Buffer) => Buffer) => {
    const store = await opening();
    await store.txn([], [put('/registry/a', 'A')]);
    await store.txn([], [put('/registry/b', 'B')]);
    await store.close();
    await writeFile(path, spoil(await readFile(path)));
    const log = new CollectingLogger();
    await opening({ log });
    return log.lines;
  };

  it('is told, with how much it was and what that means', async () => {
    const lines = await logged((content) => content.subarray(0, -7));
    expect(lines).toEqual([
      expect.stringMatching(
        /^warn .*store\.db: its last \d+ bytes were no whole write and are cut off; after a loss of power .* backup/,
      ),
    ]);
  });

  it('is nothing of a file that is whole', async () => {
    expect(await logged((content) => content)).toEqual([]);
  });
});

describe('secrets', () => {
  it('are in the file in sealed form only', async () => {
    const files = { keyFile: join(folder, 'secret.key'), storeFile: path };
    const key = '/registry//secrets/bay/password';
    const store = await opening({ cipher: await openSecretCipher(files) });
    await store.txn([], [put(key, '{"data":"hunter2hunter2"}'), put('/registry//pods/b/p', 'P')]);
    await store.compact();
    await store.txn([], [put(key, '{"data":"hunter3hunter3"}')]);
    await store.close();
    const content = await readFile(path, 'latin1');
    expect(content).toContain('secrets/bay/password');
    expect(content).not.toMatch(/hunter|data/);
    expect(content).not.toContain(Buffer.from('hunter2').toString('base64').slice(0, 8));
    expect((await stat(files.keyFile)).mode & 0o777).toBe(0o600);

    const again = await opening({ cipher: await openSecretCipher(files) });
    expect((await again.get(key))?.value.toString()).toBe('{"data":"hunter3hunter3"}');
    await again.close();
    await unlink(files.keyFile);
    await expect(openSecretCipher(files)).rejects.toThrow('secret.key is missing');
    await expect(opening()).rejects.toThrow('there is no key to open them');
    const other = await openSecretCipher({ ...files, storeFile: join(folder, 'none') });
    await expect(opening({ cipher: other })).rejects.toThrow(
      /sealed with the key .* put the right/,
    );
  });
});

describe('a process that is killed', () => {
  it('loses no write that it acknowledged', { timeout: 60_000 }, async () => {
    let acknowledged = -1;
    for (let round = 0; round < 3; round += 1) {
      const writer = startWriter(acknowledged + 1);
      const first = acknowledged;
      for await (const line of createInterface({ input: writer.stdout })) {
        acknowledged = Number(line);
        if (acknowledged - first === 200 + 57 * round) writer.kill('SIGKILL');
      }
      if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit');
      const store = await opening();
      const { records } = await store.list('/registry/');
      const numbers = records.map(({ value }) => Number(value)).sort((a, b) => a - b);
      expect(numbers.length).toBeGreaterThan(acknowledged);
      expect(numbers).toEqual(numbers.map((_, index) => index));
      acknowledged = numbers.length - 1;
      await store.close();
    }
  });
});

describe('a disk that is full', () => {
  it('stops the store with the reason, and what was acknowledged stays', async () => {
    // A limit on the size of files stands for the disk: it needs no rights and fails in the same call.
    const { stdout } = await promisify(execFile)(
      'bash',
      ['-c', 'ulimit -f 64; exec "$@"', 'bash', process.execPath, ...script(FILLER, path)],
      { cwd: process.cwd() },
    );
    const report = JSON.parse(stdout) as { written: number; failures: string[]; errors: string[] };
    expect(report.failures).toHaveLength(1);
    expect(report.failures[0]).toMatch(/the store .*store\.db cannot be written: EFBIG/);
    expect(new Set(report.errors)).toEqual(new Set(report.failures));
    expect(report.errors.length).toBeGreaterThanOrEqual(3);
    const store = await opening();
    expect((await store.list('/registry/')).records).toHaveLength(report.written);
  });
});

const WRITER = `
  const store = new NedbStore({ path, compactFloorBytes: 30_000 });
  await store.open();
  let next = Number(process.argv[2]);
  const write = async () => {
    for (;;) {
      const mine = next++;
      await store.txn([], [{ kind: 'put', key: '/registry/' + mine, value: () => Buffer.from(String(mine)) },
        { kind: 'put', key: '/other', value: () => Buffer.alloc(500, 'x') }]);
      done.add(mine);
      while (done.has(acknowledged + 1)) acknowledged += 1;
      process.stdout.write(acknowledged + '\\n');
    }
  };
  const done = new Set();
  let acknowledged = next - 1;
  await Promise.all([write(), write(), write(), write(), write()]);
`;

const FILLER = `
  const failures = [];
  const errors = [];
  const store = new NedbStore({ path, onFailure: (error) => failures.push(error.message) });
  await store.open();
  const put = (key) => store.txn([], [{ kind: 'put', key, value: () => Buffer.alloc(1000, 'x') }]);
  let written = 0;
  for (; errors.length === 0; ) {
    const group = await Promise.allSettled([put('/registry/' + written), put('/registry/' + (written + 1))]);
    for (const { status, reason } of group) {
      if (status === 'fulfilled') written += 1;
      else errors.push(reason.message);
    }
  }
  await put('/registry/more').catch((error) => errors.push(error.message));
  await store.get('/registry/0').catch((error) => errors.push(error.message));
  await store.close();
  process.stdout.write(JSON.stringify({ written, failures, errors }));
`;

/** Arguments of node for a program with the store in it. */
function script(body: string, ...parameters: string[]): string[] {
  const module = new URL('./nedb-store.ts', import.meta.url).href;
  const head = `import { NedbStore } from '${module}'; const path = process.argv[1];`;
  return ['--import', 'tsx', '--input-type=module', '-e', head + body, '--', ...parameters];
}

function startWriter(from: number) {
  return spawn(process.execPath, script(WRITER, path, String(from)), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function bound(cipher: Awaited<ReturnType<typeof openSecretCipher>>) {
  return {
    seal: (key: string, plain: Buffer) => cipher.seal(key, plain),
    open: (key: string, sealed: Buffer) => cipher.open(key, sealed),
  };
}

function damaged(
  whole: Buffer,
  at: number,
  kind: string,
  seed: Uint8Array,
  lastBatch: number,
): Buffer {
  if (kind === 'cut') return whole.subarray(0, at);
  const copy = Buffer.from(whole);
  if (kind === 'zeroes') return copy.fill(0, at);
  if (kind === 'garbage') {
    for (let index = at; index < copy.length; index += 1) copy[index] = seed[index % 64] ?? 0;
    return copy;
  }
  // The end of the last batch reached the disk and a part before it did not.
  return copy.fill(0, lastBatch + 10, lastBatch + 30);
}

function atOrBefore(sizes: readonly number[], at: number): number {
  return sizes.filter((size) => size <= at).at(-1) ?? 0;
}

async function dump(store: NedbStore): Promise<string> {
  const { records } = await store.list('');
  return records.map(({ key, value }) => `${key}=${value}`).join('\n');
}

function put(key: string, value: string): StoreOperation {
  return { kind: 'put', key, value: () => Buffer.from(value) };
}

function remove(key: string): StoreOperation {
  return { kind: 'delete', key };
}
