import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { NedbStore } from '../master/store/nedb-store.ts';
import { WatchCache } from '../master/store/watch-cache.ts';

// Run with: node --expose-gc --import tsx bench/store.bench.ts [folder on the disk to measure]

const VALUE = encode('x');
const RECORDS = 10_000;

const folder = await mkdtemp(join(process.argv[2] ?? tmpdir(), 'skerry-bench-'));
const path = join(folder, 'store.db');
const rows: Record<string, string>[] = [];

try {
  const store = new NedbStore({ path });
  await store.open();
  for (const writers of [1, 10, 100, 1000]) {
    rows.push(await measureWrites(store, writers, Math.min(20_000, 2_000 * writers)));
  }
  await fill(store);
  const cache = new WatchCache();
  rows.push(await measure(`load ${RECORDS} records into the cache`, () => cache.follow(store)));
  rows.push(await measure(`compact ${RECORDS} records`, () => store.compact()));
  rows.push(note('file', `${((await stat(path)).size / 2 ** 20).toFixed(1)} MiB`));
  await store.close();
  const again = new NedbStore({ path });
  rows.push(await measure(`open ${RECORDS} records`, () => again.open()));
  globalThis.gc?.();
  rows.push(note('resident', `${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`));
  await again.close();
} finally {
  await rm(folder, { recursive: true });
}

console.table(rows);

/** Compare-and-swap writes of 2 KB, each on the disk before its writer goes on. */
async function measureWrites(store: NedbStore, writers: number, writes: number) {
  const latencies: number[] = [];
  const write = async (writer: number) => {
    const key = `/registry//benches/b/${writer}`;
    let revision = (await store.get(key))?.revision ?? 0;
    for (let index = writer; index < writes; index += writers) {
      const start = performance.now();
      const put = { kind: 'put', key, value: () => VALUE } as const;
      const result = await store.txn([{ key, revision }], [put]);
      if (!result.succeeded) throw new Error('a write was refused');
      revision = result.revision;
      latencies.push(performance.now() - start);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  const seconds = (performance.now() - start) / 1000;
  latencies.sort((left, right) => left - right);
  const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? 0;
  return {
    what: `${writers} writers`,
    figure: `${Math.round(writes / seconds)} writes/s`,
    'p99 / longest block': `${p99.toFixed(2)} ms`,
  };
}

async function fill(store: NedbStore): Promise<void> {
  for (let index = 0; index < RECORDS; index += 500) {
    await store.txn(
      [],
      Array.from({ length: 500 }, (_, offset) => ({
        kind: 'put' as const,
        key: `/registry//benches/fill/${index + offset}`,
        value: () => encode(String(index + offset)),
      })),
    );
  }
}

/** How long it took, and the longest time for which nothing else could run. */
async function measure(what: string, work: () => Promise<unknown>) {
  let last = performance.now();
  let longest = 0;
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last - 1);
    last = performance.now();
  }, 1);
  const start = performance.now();
  await work();
  const took = performance.now() - start;
  await new Promise((resolve) => setTimeout(resolve, 5));
  clearInterval(timer);
  return {
    what,
    figure: `${took.toFixed(0)} ms`,
    'p99 / longest block': `${longest.toFixed(0)} ms`,
  };
}

/** About 2 KB. */
function encode(name: string): Buffer {
  const metadata = { name, namespace: 'fill', labels: { text: 'x'.repeat(1950) } };
  return Buffer.from(JSON.stringify({ metadata }));
}

function note(what: string, figure: string): Record<string, string> {
  return { what, figure };
}
