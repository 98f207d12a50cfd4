import { describe, expect, it } from 'vitest';
import { ManualClock } from '../shared/reconcile/manual-clock.ts';
import { silentLogger } from '../shared/silent-logger.ts';
import { Upkeep } from './upkeep.ts';

class Bench {
  readonly clock = new ManualClock();
  readonly done: string[] = [];
  readonly warnings: string[] = [];
  hold: Promise<void> | undefined;
  error: Error | undefined;
  resyncError: Error | undefined;
  readonly upkeep = new Upkeep({
    clock: this.clock,
    boundLogs: async () => {
      this.done.push('logs');
      await this.hold;
      if (this.error !== undefined) throw this.error;
    },
    report: async () => {
      this.done.push('report');
    },
    resync: () => {
      this.done.push('resync');
      if (this.resyncError !== undefined) throw this.resyncError;
    },
    log: { ...silentLogger, warn: (message) => this.warnings.push(message) },
  });

  async beat(): Promise<string[]> {
    this.upkeep.beat();
    await new Promise((resolve) => setImmediate(resolve));
    return this.done.splice(0);
  }
}

describe('Upkeep', () => {
  it('bounds the logs and reports the node with every beat, and reads the machine every ten minutes', async () => {
    const bench = new Bench();
    expect(await bench.beat()).toEqual(['logs', 'report']);
    bench.clock.advance(599_999);
    expect(await bench.beat()).toEqual(['logs', 'report']);
    bench.clock.advance(1);
    expect(await bench.beat()).toEqual(['resync', 'logs', 'report']);
    expect(await bench.beat()).toEqual(['logs', 'report']);
  });

  it('one that fails is told and keeps no other from its turn', async () => {
    const bench = new Bench();
    bench.error = new Error('no space');
    expect(await bench.beat()).toEqual(['logs', 'report']);
    expect(bench.warnings).toEqual(['the logs could not be bounded']);
    bench.error = undefined;
    bench.resyncError = new Error('no descriptors');
    bench.clock.advance(600_000);
    expect(await bench.beat()).toEqual(['resync', 'logs', 'report']);
    expect(bench.warnings.slice(1)).toEqual(['the machine was not read anew']);
    expect(await bench.beat()).toEqual(['logs', 'report']);
  });

  it('a beat while the last one is still at work does nothing', async () => {
    const bench = new Bench();
    let release = () => {};
    bench.hold = new Promise((resolve) => {
      release = resolve;
    });
    expect(await bench.beat()).toEqual(['logs', 'report']);
    expect(await bench.beat()).toEqual([]);
    release();
    bench.hold = undefined;
    await new Promise((resolve) => setImmediate(resolve));
    expect(await bench.beat()).toEqual(['logs', 'report']);
  });

  it('says for how long it has been at work', async () => {
    const bench = new Bench();
    let open = () => {};
    bench.hold = new Promise((resolve) => {
      open = resolve;
    });
    expect(bench.upkeep.underway).toBeUndefined();
    await bench.beat();
    bench.clock.advance(700_000);
    expect(bench.upkeep.underway).toEqual({ what: 'upkeep', forMs: 700_000 });
    open();
    await bench.beat();
    expect(bench.upkeep.underway).toBeUndefined();
  });
});
