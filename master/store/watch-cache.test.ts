import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../shared/meta/kube-object.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import { MemoryStore } from './memory-store.ts';
import { objectPath } from './object-path.ts';
import { WatchCache, type WatchEvent } from './watch-cache.ts';

const BOATS = { group: 'harbour.example', plural: 'boats' } as ResourceKind;
const BUOYS = { group: '', plural: 'buoys' } as ResourceKind;

let store: MemoryStore;
let cache: WatchCache;

beforeEach(async () => {
  store = new MemoryStore();
  cache = await following({ historySize: 10, freeze: true });
});

describe('a snapshot', () => {
  it('has the objects in key order, all or those of a namespace', async () => {
    for (const [namespace, name] of ['b/2', 'a/2', 'a/10', 'ab/1'].map((path) => path.split('/'))) {
      await put(BOATS, name ?? '', namespace);
    }
    await put(BUOYS, 'red', 'a');
    expect(cache.snapshot(BOATS).objects.map(pathOf)).toEqual(['a/10', 'a/2', 'ab/1', 'b/2']);
    expect(cache.snapshot(BOATS, 'a').objects.map(pathOf)).toEqual(['a/10', 'a/2']);
    expect(cache.snapshot(BOATS, 'none').objects).toEqual([]);
    expect(cache.snapshot(BUOYS).revision).toBe(store.revision());
  });

  it('stays as it was when something is written', async () => {
    await put(BOATS, 'a');
    const before = cache.snapshot(BOATS);
    await put(BOATS, 'b');
    await remove(BOATS, 'a');
    expect(before.objects.map(pathOf)).toEqual(['x/a']);
    expect(cache.snapshot(BOATS).objects.map(pathOf)).toEqual(['x/b']);
  });

  it('has what was stored before the cache began', async () => {
    await put(BOATS, 'a');
    const later = await following();
    expect(later.snapshot(BOATS)).toEqual(cache.snapshot(BOATS));
    expect(later.find(BOATS, { namespace: 'x', name: 'a' })?.metadata.name).toBe('a');
    expect(later.find(BOATS, { namespace: 'x', name: 'b' })).toBeUndefined();
  });
});

describe('a watch', () => {
  it('gives each change with what was before, and one serialised object for all', async () => {
    const seen: WatchEvent[] = [];
    const others: WatchEvent[] = [];
    cache.watch(BOATS, undefined, (events) => seen.push(...events));
    cache.watch(BOATS, undefined, (events) => others.push(...events));
    await put(BOATS, 'a', 'x', 1);
    await put(BOATS, 'a', 'x', 2);
    await put(BUOYS, 'red');
    await remove(BOATS, 'a');
    expect(seen.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
    expect(seen[1]?.previous).toBe(seen[0]?.object);
    expect(seen[2]?.previous).toBe(seen[1]?.object);
    expect(seen[2]?.object).toMatchObject({
      size: 2,
      metadata: { resourceVersion: String(store.revision()) },
    });
    expect(seen[1]?.json()).toBe(others[1]?.json());
    expect(JSON.parse(seen[1]?.json().toString() ?? '')).toEqual(seen[1]?.object);
    const kept = await putAndFind('b');
    expect(cache.json(BOATS, kept)).toBe(cache.json(BOATS, kept));
  });

  it('from a revision gives the history first, in one call', async () => {
    await put(BOATS, 'a');
    const after = store.revision();
    await put(BOATS, 'b');
    await put(BOATS, 'c');
    const calls: string[][] = [];
    cache.watch(BOATS, after, (events) => calls.push(events.map(({ object }) => pathOf(object))));
    await put(BOATS, 'd');
    expect(calls).toEqual([['x/b', 'x/c'], ['x/d']]);
  });

  it('ends when it is ended, also by another watcher of the same event', async () => {
    const seen: string[] = [];
    let stopSecond = () => {};
    cache.watch(BOATS, undefined, () => {
      seen.push('first');
      stopSecond();
    });
    stopSecond = cache.watch(BOATS, undefined, () => seen.push('second'));
    await put(BOATS, 'a');
    expect(seen).toEqual(['first']);
  });

  it('that begins within an event does not get that event again', async () => {
    const inner: WatchEvent[] = [];
    const stop = cache.watch(BOATS, undefined, () => {
      stop();
      cache.watch(BOATS, undefined, (events) => inner.push(...events));
    });
    await put(BOATS, 'a');
    await put(BOATS, 'b');
    expect(inner.map(({ object }) => pathOf(object))).toEqual(['x/b']);
  });

  it('that throws does not keep the others from their events', async () => {
    const errors: unknown[] = [];
    cache = await following({ onWatcherError: (error) => errors.push(error) });
    const seen: WatchEvent[] = [];
    cache.watch(BOATS, undefined, () => {
      throw new Error('mine');
    });
    cache.watch(BOATS, undefined, (events) => seen.push(...events));
    await put(BOATS, 'a');
    expect(seen).toHaveLength(1);
    expect(errors).toEqual([new Error('mine')]);
  });

  it('from before the history, before the cache or of a time to come is Expired', async () => {
    const start = cache.revision();
    for (let index = 0; index < 11; index += 1) await put(BOATS, 'a', 'x', index);
    expect(() => cache.watch(BOATS, start, () => {})).toThrow(
      expect.objectContaining({
        reason: 'Expired',
        message: `too old resource version: ${start} (${start + 1})`,
      }),
    );
    const oldest: WatchEvent[] = [];
    cache.watch(BOATS, start + 1, (events) => oldest.push(...events));
    expect(oldest).toHaveLength(10);
    expect(() => cache.watch(BOATS, store.revision() + 1, () => {})).toThrow('too old');
    const later = await following();
    expect(() => later.watch(BOATS, store.revision() - 1, () => {})).toThrow('too old');
  });

  it('reaches back fewer events when they are large, but always the newest few', async () => {
    cache = await following({ historyBytes: 20_000 });
    const revisions: number[] = [];
    const grow = async (name: string, bytes: number) => {
      const value = () =>
        Buffer.from(`{"metadata":{"namespace":"x","name":"${name}"}}`.padEnd(bytes));
      const key = objectPath(BOATS, { namespace: 'x', name });
      await store.txn([], [{ kind: 'put', key, value }]);
      revisions.push(store.revision());
    };
    const reach = () => {
      const last = revisions.findLastIndex((revision) => {
        try {
          cache.watch(BOATS, revision - 1, () => {})();
          return false;
        } catch (error) {
          expect(error).toMatchObject({ reason: 'Expired' });
          return true;
        }
      });
      return revisions.length - 1 - last;
    };
    for (let index = 0; index < 30; index += 1) await grow('a', 1000);
    expect(reach()).toBe(20);
    await remove(BOATS, 'a');
    revisions.push(store.revision());
    expect(reach()).toBe(20);
    for (let index = 0; index < 10; index += 1) await grow('b', 50_000);
    expect(reach()).toBe(8);
    for (let index = 0; index < 30; index += 1) await grow('c', 100);
    expect(reach()).toBe(30);
  });

  it('from an epoch that a restore has ended is Expired, and one that runs goes on', async () => {
    const seen: WatchEvent[] = [];
    cache.watch(BOATS, undefined, (events) => seen.push(...events));
    await put(BOATS, 'a');
    const before = store.revision();
    await store.raiseEpoch(1);
    await put(BUOYS, 'red');
    await put(BOATS, 'b');
    expect(seen).toHaveLength(2);
    expect(() => cache.watch(BOATS, before, () => {})).toThrow('too old');
    expect(() => cache.watch(BOATS, store.revision(), () => {})).not.toThrow();
  });
});

it('a watcher from any revision sees each later event once and in order, or Expired', async () => {
  const write = fc.record({
    kind: fc.constantFrom(BOATS, BUOYS),
    names: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), {
      minLength: 1,
      maxLength: 3,
    }),
    removes: fc.boolean(),
    watches: fc.option(fc.nat(20)),
  });
  const bounds = fc.oneof(
    fc.record({ historySize: fc.nat(8) }),
    fc.record({ historySize: fc.nat(30), historyBytes: fc.nat(2000) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 40 }), bounds, async (writes, options) => {
      store = new MemoryStore();
      cache = await following(options);
      const truth: string[] = [];
      cache.watch(BOATS, undefined, (events) => truth.push(...events.map(lineOf)));
      const watchers: { after: number; seen: string[] }[] = [];
      for (const { kind, names, removes, watches } of writes) {
        if (watches !== null) begin(watchers, Math.max(1, store.revision() - watches));
        await writeAll(kind, names, removes);
      }
      for (const { after, seen } of watchers) {
        expect(seen).toEqual(truth.filter((line) => Number(line.split(' ')[0]) > after));
      }
    }),
    { numRuns: 60 },
  );
});

function begin(watchers: { after: number; seen: string[] }[], after: number): void {
  const seen: string[] = [];
  try {
    cache.watch(BOATS, after, (events) => seen.push(...events.map(lineOf)));
    watchers.push({ after, seen });
  } catch (error) {
    expect(error).toMatchObject({ reason: 'Expired' });
  }
}

async function writeAll(kind: ResourceKind, names: string[], removes: boolean): Promise<void> {
  await store.txn(
    [],
    names.map((name) => {
      const key = objectPath(kind, { namespace: 'x', name });
      return removes
        ? { kind: 'delete', key }
        : { kind: 'put', key, value: (revision) => encode(name, 'x', revision, 0) };
    }),
  );
}

async function following(options?: ConstructorParameters<typeof WatchCache>[0]) {
  const made = new WatchCache(options);
  await made.follow(store);
  return made;
}

async function put(kind: ResourceKind, name: string, namespace = 'x', size = 0): Promise<void> {
  const key = objectPath(kind, { namespace, name });
  const value = (revision: number) => encode(name, namespace, revision, size);
  await store.txn([], [{ kind: 'put', key, value }]);
}

async function putAndFind(name: string): Promise<KubeObject> {
  await put(BOATS, name);
  return cache.snapshot(BOATS).objects[0] as KubeObject;
}

async function remove(kind: ResourceKind, name: string): Promise<void> {
  await store.txn([], [{ kind: 'delete', key: objectPath(kind, { namespace: 'x', name }) }]);
}

function encode(name: string, namespace: string, revision: number, size: number): Buffer {
  const metadata = { name, namespace, resourceVersion: String(revision) };
  return Buffer.from(JSON.stringify({ metadata, size }));
}

function pathOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function lineOf({ type, revision, object }: WatchEvent): string {
  return `${revision} ${type} ${pathOf(object)}`;
}
