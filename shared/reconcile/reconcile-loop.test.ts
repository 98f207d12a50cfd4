import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from './manual-clock.ts';
import { ReconcileLoop, type ReconcileOptions } from './reconcile-loop.ts';

/** Lets every promise that is ready settle. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function loopWith(
  clock: ManualClock,
  reconcile: ReconcileOptions['reconcile'],
  more: Partial<ReconcileOptions> = {},
): ReconcileLoop {
  return new ReconcileLoop({
    name: 'test',
    clock,
    concurrency: 4,
    backoffMs: { first: 100, max: 1000 },
    onError: () => {},
    reconcile,
    ...more,
  });
}

/** A gate that a test opens. */
function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe('ReconcileLoop', () => {
  it('runs a key that was enqueued before the start, once', async () => {
    const seen: string[] = [];
    const loop = loopWith(new ManualClock(), async (key) => {
      seen.push(key);
      return undefined;
    });
    loop.enqueue('a');
    loop.enqueue('a');
    await settle();
    expect(seen).toEqual([]);
    loop.start();
    await settle();
    expect(seen).toEqual(['a']);
  });

  it('never runs a reconcile inside enqueue', async () => {
    let runs = 0;
    const loop = loopWith(new ManualClock(), async () => {
      runs++;
      return undefined;
    });
    loop.start();
    loop.enqueue('a');
    expect(runs).toBe(0);
    await settle();
    expect(runs).toBe(1);
  });

  it('runs a key once more when it was enqueued while it ran, however often', async () => {
    let runs = 0;
    const first = gate();
    const loop = loopWith(new ManualClock(), async () => {
      runs++;
      if (runs === 1) await first.opened;
      return undefined;
    });
    loop.start();
    loop.enqueue('a');
    await settle();
    for (let i = 0; i < 5; i++) loop.enqueue('a');
    await settle();
    expect(runs).toBe(1);
    first.open();
    await settle();
    expect(runs).toBe(2);
  });

  it('loses no wake-up that comes in any of the turns in which its last worker ends', async () => {
    for (let turns = 0; turns < 12; turns++) {
      let runs = 0;
      const loop = loopWith(
        new ManualClock(),
        async () => {
          runs++;
          return undefined;
        },
        { concurrency: 1 },
      );
      loop.start();
      loop.enqueue('a');
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      loop.enqueue('b');
      await settle();
      expect(runs).toBe(2);
    }
  });

  it('looks again after the time that the result names, and earlier when enqueued', async () => {
    const clock = new ManualClock();
    let runs = 0;
    const loop = loopWith(clock, async () => {
      runs++;
      return { afterMs: 500 };
    });
    loop.start();
    loop.enqueue('a');
    await settle();
    clock.advance(499);
    await settle();
    expect(runs).toBe(1);
    clock.advance(1);
    await settle();
    expect(runs).toBe(2);
    loop.enqueue('a');
    await settle();
    expect(runs).toBe(3);
    expect(clock.nextInMs).toBe(500);
    expect(clock.pending).toBe(1);
  });

  it('keeps the earliest of several delays', async () => {
    const clock = new ManualClock();
    const loop = loopWith(clock, async () => undefined);
    loop.start();
    loop.enqueueAfter('a', 500);
    loop.enqueueAfter('a', 200);
    loop.enqueueAfter('a', 900);
    expect(clock.pending).toBe(1);
    expect(clock.nextInMs).toBe(200);
  });

  it('retries a failure with a delay that doubles up to the largest and falls back after a success', async () => {
    const clock = new ManualClock();
    let failing = true;
    const attempts: number[] = [];
    const loop = loopWith(
      clock,
      async () => {
        if (failing) throw new Error('no');
        return undefined;
      },
      { onError: (_key, _error, attempt) => attempts.push(attempt) },
    );
    loop.start();
    loop.enqueue('a');
    const delays: (number | undefined)[] = [];
    for (let i = 0; i < 6; i++) {
      await settle();
      delays.push(clock.nextInMs);
      clock.advance(clock.nextInMs ?? 0);
    }
    expect(delays).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(attempts).toEqual([1, 2, 3, 4, 5, 6]);
    failing = false;
    clock.advance(1000);
    await settle();
    expect(clock.pending).toBe(0);
    failing = true;
    loop.enqueue('a');
    await settle();
    expect(clock.nextInMs).toBe(100);
  });

  it('aborts and awaits what runs when it stops, and leaves no timer', async () => {
    const clock = new ManualClock();
    let ended = false;
    const loop = loopWith(clock, async (_key, signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      await settle();
      ended = true;
      return { afterMs: 10 };
    });
    loop.start();
    loop.enqueueAfter('b', 1000);
    loop.enqueue('a');
    await settle();
    await loop.stop();
    expect(ended).toBe(true);
    expect(clock.pending).toBe(0);
    loop.enqueue('a');
    loop.enqueueAfter('a', 5);
    expect(clock.pending).toBe(0);
  });

  it('holds one worker per key, its concurrency, and every wake-up, whatever the order of events', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('enqueue' as const), key: fc.constantFrom('a', 'b', 'c') }),
      fc.record({
        kind: fc.constant('later' as const),
        key: fc.constantFrom('a', 'b', 'c'),
        delayMs: fc.nat(300),
      }),
      fc.record({ kind: fc.constant('advance' as const), byMs: fc.nat(400) }),
      fc.record({ kind: fc.constant('finish' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.infiniteStream(fc.boolean()),
        async (steps, failures) => {
          const clock = new ManualClock();
          const running = new Set<string>();
          const waiting: (() => void)[] = [];
          const asked = new Map<string, number>();
          const looked = new Map<string, number>();
          let sequence = 0;
          let calm = false;
          const loop = loopWith(
            clock,
            async (key) => {
              expect(running.has(key)).toBe(false);
              running.add(key);
              expect(running.size).toBeLessThanOrEqual(2);
              looked.set(key, sequence);
              if (!calm) await new Promise<void>((resolve) => waiting.push(resolve));
              running.delete(key);
              if (!calm && failures.next().value) throw new Error('no');
              return undefined;
            },
            { concurrency: 2 },
          );
          loop.start();
          for (const one of steps) {
            sequence++;
            if (one.kind === 'enqueue') {
              asked.set(one.key, sequence);
              loop.enqueue(one.key);
            } else if (one.kind === 'later') {
              asked.set(one.key, sequence);
              loop.enqueueAfter(one.key, one.delayMs);
            } else if (one.kind === 'advance') clock.advance(one.byMs);
            else waiting.shift()?.();
            await settle();
          }
          calm = true;
          while (waiting.length > 0) {
            waiting.shift()?.();
            await settle();
          }
          clock.advance(5000);
          await settle();
          for (const [key, at] of asked) expect(looked.get(key) ?? -1).toBeGreaterThanOrEqual(at);
          expect(clock.pending).toBe(0);
          await loop.stop();
        },
      ),
      { numRuns: 100 },
    );
  });

  it('says which key it has worked on longest, and for how long', async () => {
    const clock = new ManualClock();
    const gates = new Map([
      ['a', gate()],
      ['b', gate()],
    ]);
    const loop = loopWith(clock, async (key) => {
      await gates.get(key)?.opened;
      if (key === 'b') throw new Error('fails');
      return undefined;
    });
    loop.start();
    expect(loop.underway).toBeUndefined();
    loop.enqueue('a');
    await settle();
    clock.advance(50);
    loop.enqueue('b');
    await settle();
    clock.advance(50);
    expect(loop.underway).toEqual({ what: 'test a', forMs: 100 });
    gates.get('a')?.open();
    await settle();
    expect(loop.underway).toEqual({ what: 'test b', forMs: 50 });
    gates.get('b')?.open();
    await settle();
    expect(loop.underway).toBeUndefined();
  });
});
