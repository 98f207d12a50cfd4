import { expect, test } from 'vitest';
import { CollectingLogger } from '../test/builders/collecting-logger.ts';
import { ServiceManager } from './service-manager.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

class Bench {
  readonly log = new CollectingLogger();
  readonly told: string[][] = [];
  readonly intervals: number[] = [];
  beat = () => {};
  beatsEnded = false;
  failure: Error | undefined;
  status = 'one';
  stuck: () => Promise<string | undefined> = async () => undefined;
  readonly program = { status: () => this.status, stuck: () => this.stuck() };
  readonly service: ServiceManager;

  constructor(environment: NodeJS.ProcessEnv) {
    this.service = new ServiceManager({
      log: this.log,
      environment,
      notify: async (socket, states) => {
        if (this.failure !== undefined) throw this.failure;
        this.told.push([socket, ...states]);
      },
      every: (intervalMs, callback) => {
        this.intervals.push(intervalMs);
        this.beat = callback;
        return () => {
          this.beatsEnded = true;
        };
      },
    });
  }

  async beatOnce(): Promise<string[][]> {
    this.beat();
    await settle();
    return this.told.splice(0);
  }
}

const watched = () => new Bench({ NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '120000000' });

test('a status is one line, however it is worded, and says nothing else to systemd', async () => {
  const bench = watched();
  bench.status = `cannot join: "\nMAINPID=1\r\nREADY=1\u0085\u001b[31m" ${'x'.repeat(2_000_000)}`;
  bench.service.ready(bench.program);
  await bench.service.stopping('ends\nMAINPID=1');
  const states = bench.told.flatMap(([, ...said]) => said);
  expect(states.map((state) => state.slice(0, 40))).toEqual([
    'READY=1',
    'STATUS=cannot join: " MAINPID=1  READY=1',
    'STOPPING=1',
    'STATUS=ends MAINPID=1',
  ]);
  // Linux takes no argument of more than 128 KiB.
  expect(Math.max(...states.map(({ length }) => length))).toBeLessThan(2000);
});

test('what systemd gave this process alone is taken out of the environment, which children inherit', () => {
  const environment = {
    NOTIFY_SOCKET: '/run/n',
    WATCHDOG_USEC: '1',
    WATCHDOG_PID: '1',
    INVOCATION_ID: 'a',
    LISTEN_FDS: '1',
    LISTEN_PID: '1',
    LISTEN_FDNAMES: 'a',
    JOURNAL_STREAM: '1:2',
    PATH: '/bin',
  };
  new Bench(environment);
  expect(environment).toEqual({ JOURNAL_STREAM: '1:2', PATH: '/bin' });
});

test('without a service manager nothing is told and nothing beats', async () => {
  const bench = new Bench({ WATCHDOG_USEC: '120000000' });
  bench.service.ready(bench.program);
  await bench.service.stopping('bye');
  expect([bench.told, bench.intervals]).toEqual([[], []]);
});

test('readiness, life twice in each interval, and the end are told in order; a state in words when it is another', async () => {
  const bench = watched();
  bench.service.ready(bench.program);
  expect(bench.intervals).toEqual([60_000]);
  expect(await bench.beatOnce()).toEqual([
    ['/run/n', 'READY=1', 'STATUS=one'],
    ['/run/n', 'WATCHDOG=1'],
  ]);
  bench.status = 'two';
  expect(await bench.beatOnce()).toEqual([['/run/n', 'WATCHDOG=1', 'STATUS=two']]);
  await bench.service.stopping('bye');
  expect(bench.told).toEqual([['/run/n', 'STOPPING=1', 'STATUS=bye']]);
  expect(bench.beatsEnded).toBe(true);
});

test('a state in words that is another is told between the beats too, once the program is ready', async () => {
  const bench = watched();
  bench.service.changed();
  bench.service.ready(bench.program);
  bench.service.changed();
  bench.status = 'two';
  bench.service.changed();
  await settle();
  expect(bench.told).toEqual([
    ['/run/n', 'READY=1', 'STATUS=one'],
    ['/run/n', 'STATUS=two'],
  ]);
});

test('without a watchdog, or with one for another process, there are no beats', () => {
  for (const more of [{}, { WATCHDOG_USEC: '120000000', WATCHDOG_PID: '1' }]) {
    const bench = new Bench({ NOTIFY_SOCKET: '/run/n', ...more });
    bench.service.ready(bench.program);
    expect(bench.intervals).toEqual([]);
  }
});

test('a program with something stuck, or that does not answer, or that throws, is not said to live', async () => {
  const bench = watched();
  bench.service.ready(bench.program);
  await bench.beatOnce();
  bench.stuck = async () => 'pods a has been under way for 12 min';
  expect(await bench.beatOnce()).toEqual([]);
  expect(bench.log.lines.at(-1)).toBe(
    'error this program hangs, and will be started anew {"stuck":"pods a has been under way for 12 min"}',
  );
  bench.stuck = async () => {
    throw new Error('the store is closed');
  };
  expect(await bench.beatOnce()).toEqual([]);
  let answer = (_: string | undefined) => {};
  bench.stuck = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  expect(await bench.beatOnce()).toEqual([]);
  expect(await bench.beatOnce()).toEqual([]);
  expect(bench.log.lines.at(-1)).toContain('has not answered');
  answer(undefined);
  await settle();
  expect(bench.told).toEqual([['/run/n', 'WATCHDOG=1']]);
});

test('systemd-notify that cannot be run is said once, and hinders nothing', async () => {
  const bench = watched();
  bench.failure = new Error('spawn systemd-notify ENOENT');
  bench.service.ready(bench.program);
  await bench.beatOnce();
  await bench.service.stopping('bye');
  expect(bench.log.lines.filter((line) => line.startsWith('error'))).toHaveLength(1);
});
