import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store, StoreEvent, StoreOperation } from './store.ts';

export interface StoreUnderTest {
  /** Open. Keys under /registry/memory/ are volatile, where the store knows the difference. */
  store: Store;
  /** Closes it and opens another one on the same data; absent: the store keeps nothing. */
  reopen?(): Promise<Store>;
  cleanUp(): Promise<void>;
}

/** What every store does; run against each implementation by its own test file. */
export function describeStore(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let under: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      under = await makeStore();
      store = under.store;
    });

    afterEach(() => under.cleanUp());

    it('starts empty, at a revision above 0', async () => {
      expect(await store.list('/registry/')).toEqual({ revision: store.revision(), records: [] });
      expect(store.revision()).toBeGreaterThan(0);
      expect(await store.get('/registry/a')).toBeUndefined();
    });

    it('gives all operations of a transaction one revision, higher than any before', async () => {
      const before = store.revision();
      const result = await store.txn([], [put('/registry/a', 'A'), put('/registry/b', 'B')]);
      const revision = store.revision();
      expect(revision).toBeGreaterThan(before);
      expect(result).toEqual({
        succeeded: true,
        revision,
        records: [
          { key: '/registry/a', revision, value: Buffer.from('A') },
          { key: '/registry/b', revision, value: Buffer.from('B') },
        ],
      });
      expect(await store.get('/registry/a')).toMatchObject({ revision });
    });

    it('lets a value know its revision', async () => {
      const value = (revision: number) => Buffer.from(`at ${revision}`);
      await store.txn([], [{ kind: 'put', key: '/registry/a', value }]);
      expect(await text('/registry/a')).toBe(`at ${store.revision()}`);
    });

    it('does nothing when a compare fails, and says which', async () => {
      await store.txn([], [put('/registry/a', 'A')]);
      const revision = store.revision();
      const good = { key: '/registry/a', revision };
      const stale = { key: '/registry/a', revision: revision - 1 };
      const absent = { key: '/registry/b', revision: 0 };
      const operations = [put('/registry/b', 'B'), remove('/registry/a')];
      expect(await store.txn([absent, stale], operations)).toEqual({
        succeeded: false,
        failed: stale,
      });
      expect(store.revision()).toBe(revision);
      expect(await store.txn([absent, good], operations)).toMatchObject({ succeeded: true });
      expect(await store.txn([absent], operations)).toMatchObject({ succeeded: false });
      expect(await keys('/registry/')).toEqual(['/registry/b']);
    });

    it('lets one of many writers with the same compare win', async () => {
      const key = '/registry/a';
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          store.txn([{ key, revision: 0 }], [put(key, String(index))]),
        ),
      );
      expect(results.filter((result) => result.succeeded)).toHaveLength(1);
    });

    it('refuses the transaction whose value cannot be made, and no other', async () => {
      const value = () => {
        throw new Error('no value');
      };
      const bad = store.txn([], [put('/registry/a', 'A'), { kind: 'put', key: '/x', value }]);
      const good = store.txn([], [put('/registry/b', 'B')]);
      await expect(bad).rejects.toThrow('no value');
      await good;
      expect(await keys('/registry/')).toEqual(['/registry/b']);
    });

    it('lists a prefix in key order, and nothing beside it', async () => {
      const names = ['/r/b/2', '/r/a-b/1', '/r/a/1', '/r/a/10', '/r/a/2', '/r/a', '/r/aa/1'];
      await store.txn(
        [],
        names.map((key) => put(key, key)),
      );
      expect(await keys('/r/a/')).toEqual(['/r/a/1', '/r/a/10', '/r/a/2']);
      expect(await keys('/r/')).toEqual([...names].sort());
    });

    it('keeps any text', async () => {
      const odd = 'ä\u0085\u2028\u2029\u0000"\\\n\r😀$.';
      await store.txn([], [put('/registry/a.b/$c', odd), put('/registry/z', 'Z')]);
      await store.compact();
      if (under.reopen) store = await under.reopen();
      expect(await text('/registry/a.b/$c')).toBe(odd);
      expect(await text('/registry/z')).toBe('Z');
    });

    it('tells watchers every change once, in order, before the writer hears of it', async () => {
      await store.txn([], [put('/registry/old', 'O')]);
      const seen: StoreEvent[] = [];
      const stop = store.watch((events) => seen.push(...events));
      await store.txn([], [put('/registry/a', 'A')]);
      expect(seen).toMatchObject([{ kind: 'put', record: { key: '/registry/a' } }]);
      await Promise.all([
        store.txn([], [put('/registry/memory/b', 'B')]),
        store.txn([], [remove('/registry/a')]),
        store.txn([], [put('/registry/a', 'C'), remove('/registry/old')]),
      ]);
      expect(seen.map((event) => (event.kind === 'put' ? event.record.key : event.key))).toEqual([
        '/registry/a',
        '/registry/memory/b',
        '/registry/a',
        '/registry/a',
        '/registry/old',
      ]);
      expect(seen.map((event) => event.revision)).toEqual(
        [0, 1, 2, 3, 3].map((step) => store.revision() - 3 + step),
      );
      stop();
      await store.txn([], [put('/registry/a', 'D')]);
      expect(seen).toHaveLength(5);
    });

    it('takes a write from within a watcher, after the one that is being told', async () => {
      const order: string[] = [];
      let echo: Promise<unknown> | undefined;
      store.watch((events) => {
        for (const event of events) {
          if (event.kind === 'put' && event.record.key === '/registry/a') {
            echo = store.txn([], [put('/registry/echo', 'E')]);
          }
        }
      });
      store.watch((events) => {
        for (const event of events) if (event.kind === 'put') order.push(event.record.key);
      });
      await store.txn([], [put('/registry/a', 'A')]);
      await echo;
      expect(order).toEqual(['/registry/a', '/registry/echo']);
    });

    it('raises the epoch, and never lowers it', async () => {
      await store.txn([], [put('/registry/a', 'A')]);
      await store.raiseEpoch(3);
      expect(store.epoch()).toBe(3);
      expect(store.revision()).toBeGreaterThanOrEqual(3 * 2 ** 40);
      const { revision } = (await store.get('/registry/a')) ?? { revision: 0 };
      expect(revision).toBeLessThan(2 ** 40);
      await store.raiseEpoch(2);
      await store.txn([], [put('/registry/a', 'B')]);
      expect(store.epoch()).toBe(3);
      if (under.reopen) expect((await under.reopen()).epoch()).toBe(3);
    });

    it('leads at once', async () => {
      const { lost, resign } = await store.campaign('controllers');
      expect(lost.aborted).toBe(false);
      await resign();
    });

    it('agrees with a plain map, whatever is written, compacted and reopened', async () => {
      const step = fc.oneof(
        { weight: 6, arbitrary: fc.tuple(fc.constant('put' as const), aKey, fc.string()) },
        { weight: 3, arbitrary: fc.tuple(fc.constant('delete' as const), aKey) },
        { weight: 1, arbitrary: fc.tuple(fc.constant('compact' as const)) },
        { weight: 1, arbitrary: fc.tuple(fc.constant('reopen' as const)) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          await empty();
          const model = new Map<string, string>();
          for (const [action, key, value] of steps) {
            const before = store.revision();
            if (action === 'put') {
              await store.txn([], [put(key, value)]);
              model.set(key, value);
            } else if (action === 'delete') {
              await store.txn([], [remove(key)]);
              model.delete(key);
            } else if (action === 'compact') {
              await store.compact();
            } else if (under.reopen) {
              store = await under.reopen();
              for (const path of model.keys()) if (isVolatile(path)) model.delete(path);
            }
            if (key !== undefined) expect(store.revision()).toBeGreaterThan(before);
            expect(store.revision()).toBeGreaterThanOrEqual(before);
          }
          const { records } = await store.list('');
          expect(records.map(({ key, value }) => [key, value.toString()])).toEqual(
            [...model].sort(([left], [right]) => (left < right ? -1 : 1)),
          );
        }),
        { numRuns: 20 },
      );
    });

    async function keys(prefix: string): Promise<string[]> {
      return (await store.list(prefix)).records.map(({ key }) => key);
    }

    async function text(key: string): Promise<string | undefined> {
      return (await store.get(key))?.value.toString();
    }

    async function empty(): Promise<void> {
      await store.txn([], (await keys('')).map(remove));
    }
  });
}

export function isVolatile(key: string): boolean {
  return key.startsWith('/registry/memory/');
}

const aKey = fc.oneof(
  fc.constantFrom('/registry/a', '/registry/b/1', '/registry/b/2', '/registry/secret/s'),
  fc.constantFrom('/registry/memory/1', '/registry/memory/2'),
);

function put(key: string, value: string): StoreOperation {
  return { kind: 'put', key, value: () => Buffer.from(value) };
}

function remove(key: string): StoreOperation {
  return { kind: 'delete', key };
}
