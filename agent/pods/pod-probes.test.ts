import { beforeEach, describe, expect, it } from 'vitest';
import type { Container, Pod } from '../../shared/schema/kubernetes-types.ts';
import { RuntimeError } from '../runtime/runtime.ts';
import { container, deleted, PodBench, pod } from './testing/pod-bench.ts';

/** Probes and hooks as pods see them; what they run in a container is answered by `answers`. */
let bench: PodBench;
/** By the command's first word: its exit code, or a promise that holds it up. */
let answers: Map<string, number | Promise<number>>;

beforeEach(async () => {
  bench = new PodBench();
  answers = new Map();
  bench.runtime.onExec = async (_name, [word = ''], { signal }) => {
    const held = new Promise<never>((_, reject) =>
      signal?.addEventListener('abort', () => reject(new RuntimeError('ExecAborted', 'stopped'))),
    );
    return { exitCode: await Promise.race([answers.get(word) ?? 0, held]), output: `${word} said` };
  };
  await bench.start();
});

const exec = (word: string) => ({ exec: { command: [word] } });
const web = (of: Pod) => bench.report(of).status.containerStatuses?.[0];
const execs = () => bench.runtime.calls.filter((call) => call.startsWith('exec'));

async function run(more: Partial<Container>, spec: Partial<Pod['spec']> = {}): Promise<Pod> {
  const one = pod('p', { containers: [container('web', more)], ...spec });
  await bench.apply(one);
  // What is due at once.
  await bench.advance(0);
  return one;
}

describe('readiness', () => {
  const readinessProbe = { ...exec('ready'), periodSeconds: 5, failureThreshold: 2 };

  it('is told when a threshold is reached, with an event for each failure', async () => {
    answers.set('ready', 1);
    const one = await run({ readinessProbe });
    expect(web(one)).toMatchObject({ started: true, ready: false });
    answers.set('ready', 0);
    await bench.advance(5_000);
    expect(web(one)?.ready).toBe(true);
    expect(bench.worker.localPod(one.metadata.uid)?.ready).toBe(true);
    answers.set('ready', 1);
    await bench.advance(5_000);
    expect(web(one)?.ready).toBe(true);
    await bench.advance(5_000);
    expect(web(one)?.ready).toBe(false);
    expect(bench.worker.localPod(one.metadata.uid)?.ready).toBe(false);
    const failures = bench.events.filter((event) => event.startsWith('Unhealthy'));
    expect(failures).toEqual(Array(3).fill('Unhealthy: Readiness probe failed: ready said'));
    expect(bench.runtime.running()).toEqual(['web']);
  });

  it('waits for the initial delay, and one timer is all it holds', async () => {
    const one = await run({ readinessProbe: { ...readinessProbe, initialDelaySeconds: 20 } });
    expect(bench.clock.pending).toBe(1);
    await bench.advance(19_000);
    expect(execs()).toEqual([]);
    await bench.advance(1_000);
    expect(web(one)?.ready).toBe(true);
    expect(bench.clock.pending).toBe(1);
  });

  it('outlives a restart of the agent, until a probe says otherwise', async () => {
    const one = await run({ readinessProbe });
    const unready = () =>
      bench.reports.filter(({ body }) => JSON.stringify(body).includes('"ready":false')).length;
    const before = unready();
    await bench.restart();
    expect(web(one)?.ready).toBe(true);
    expect(unready()).toBe(before);
    answers.set('ready', 1);
    await bench.advance(2_500);
    await bench.advance(5_000);
    expect(web(one)?.ready).toBe(false);
  });

  it('goes on being told while the pod ends; liveness does not kill it', async () => {
    bench.runtime.ignoresTerm.add('web');
    const livenessProbe = { ...exec('alive'), failureThreshold: 1, periodSeconds: 1 };
    const one = await run({ readinessProbe, livenessProbe });
    answers.set('alive', 1).set('ready', 1);
    await bench.apply(deleted(one, 30));
    expect(web(one)?.ready).toBe(true);
    await bench.advance(5_000);
    await bench.advance(5_000);
    expect(web(one)?.ready).toBe(false);
    expect(execs().filter((call) => call.includes('alive'))).toHaveLength(1);
    await bench.advance(20_000);
    expect(bench.report(one).gone).toBe(true);
    expect(bench.clock.pending).toBe(0);
  });

  it('that cannot be asked says nothing of the container', async () => {
    const one = await run({ readinessProbe });
    bench.runtime.onExec = async () => {
      throw new RuntimeError('ExecError', 'no such program');
    };
    for (let turn = 0; turn < 5; turn++) await bench.advance(5_000);
    expect(web(one)?.ready).toBe(true);
    expect(bench.events.at(-1)).toMatch(/^Unhealthy: Readiness probe errored .*no such program$/);
  });
});

describe('liveness and startup', () => {
  const livenessProbe = { ...exec('alive'), periodSeconds: 1, failureThreshold: 2 };

  it('a container that fails is ended within its grace and started again', async () => {
    bench.runtime.ignoresTerm.add('web');
    const one = await run({
      livenessProbe: { ...livenessProbe, terminationGracePeriodSeconds: 3 },
    });
    answers.set('alive', 1);
    await bench.advance(1_000);
    await bench.advance(1_000);
    const message = 'Killing: Container web failed liveness probe, will be restarted';
    expect(bench.events).toContain(message);
    expect(bench.runtime.calls.at(-1)).toBe('TERM web');
    await bench.advance(3_000);
    expect(web(one)).toMatchObject({ restartCount: 1 });
    expect(web(one)?.lastState?.terminated?.exitCode).toBe(137);
    expect(bench.events.filter((event) => event === message)).toHaveLength(1);
  });

  it('with OnFailure it is started again though it ended well; with Never it stays ended', async () => {
    for (const [restartPolicy, phase] of [
      ['OnFailure', 'Running'],
      ['Never', 'Succeeded'],
    ] as const) {
      bench = new PodBench();
      bench.runtime.onExec = async () => ({ exitCode: 1, output: '' });
      await bench.start();
      const one = await run({ livenessProbe }, { restartPolicy });
      await bench.advance(1_000);
      expect(bench.report(one).status.phase).toBe(phase);
    }
  });

  it('nothing else is probed before startup has succeeded, and it is not started', async () => {
    const startupProbe = { ...exec('up'), periodSeconds: 2, failureThreshold: 10 };
    answers.set('up', 1);
    const one = await run({ startupProbe, livenessProbe, readinessProbe: exec('ready') });
    await bench.advance(2_000);
    expect(web(one)).toMatchObject({ started: false, ready: false });
    expect(new Set(execs())).toEqual(new Set(['exec web up']));
    answers.set('up', 0);
    await bench.advance(2_000);
    await bench.advance(0);
    expect(web(one)).toMatchObject({ started: true, ready: true });
    const ups = execs().filter((call) => call.endsWith('up')).length;
    await bench.advance(10_000);
    expect(execs().filter((call) => call.endsWith('up'))).toHaveLength(ups);
  });

  it('startup that fails ends the container', async () => {
    answers.set('up', 1);
    await run({ startupProbe: { ...exec('up'), periodSeconds: 1, failureThreshold: 2 } });
    await bench.advance(1_000);
    expect(bench.events).toContain(
      'Killing: Container web failed startup probe, will be restarted',
    );
  });

  it('a sidecar holds the containers after it until it has started', async () => {
    answers.set('up', 1);
    const sidecar = container('side', {
      restartPolicy: 'Always',
      startupProbe: { ...exec('up'), periodSeconds: 1, failureThreshold: 9 },
    });
    await run({}, { initContainers: [sidecar] });
    expect(bench.runtime.running()).toEqual(['side']);
    answers.set('up', 0);
    await bench.advance(1_000);
    expect(bench.runtime.running()).toEqual(['side', 'web']);
  });
});

describe('preStop', () => {
  const held = () => answers.set('bye', new Promise(() => {}));

  it('runs before the signal', async () => {
    let end = (_code: number) => {};
    answers.set('bye', new Promise((resolve) => (end = resolve)));
    const one = await run({ lifecycle: { preStop: exec('bye') } });
    await bench.apply(deleted(one, 30));
    expect(bench.runtime.calls.at(-1)).toBe('exec web bye');
    expect(bench.worker.localPod(one.metadata.uid)).toMatchObject({
      ready: true,
      terminating: true,
    });
    await bench.advance(5_000);
    end(0);
    await bench.settle();
    expect(bench.runtime.calls).toContain('TERM web');
    expect(bench.report(one).gone).toBe(true);
  });

  it('has the grace and no more; two seconds are left after it', async () => {
    held();
    bench.runtime.ignoresTerm.add('web');
    const one = await run({ lifecycle: { preStop: exec('bye') } });
    await bench.apply(deleted(one, 10));
    await bench.advance(9_999);
    expect(bench.runtime.calls).not.toContain('TERM web');
    await bench.advance(1);
    expect(bench.runtime.calls).toContain('TERM web');
    await bench.advance(1_999);
    expect(bench.runtime.calls).not.toContain('KILL web');
    await bench.advance(1);
    expect(bench.runtime.calls).toContain('KILL web');
    expect(bench.report(one).gone).toBe(true);
    expect(bench.clock.pending).toBe(0);
  });

  it('counts against the grace', async () => {
    bench.runtime.ignoresTerm.add('web');
    const one = await run({ lifecycle: { preStop: { sleep: { seconds: 6 } } } });
    await bench.apply(deleted(one, 10));
    await bench.advance(6_000);
    expect(bench.runtime.calls.at(-1)).toBe('TERM web');
    await bench.advance(3_999);
    expect(bench.runtime.running()).toEqual(['web']);
    await bench.advance(1);
    expect(bench.runtime.running()).toEqual([]);
  });

  it("a sidecar's begins with the others', and its signal waits for its turn", async () => {
    let end = (_code: number) => {};
    answers.set('bye', new Promise((resolve) => (end = resolve)));
    bench.runtime.ignoresTerm.add('web');
    const side = container('side', {
      restartPolicy: 'Always',
      lifecycle: { preStop: exec('bye') },
    });
    const one = await run({}, { initContainers: [side] });
    await bench.apply(deleted(one, 10));
    expect(bench.runtime.calls).toContain('TERM web');
    expect(bench.runtime.calls).toContain('exec side bye');
    end(0);
    await bench.advance(9_999);
    expect(bench.runtime.calls).not.toContain('TERM side');
    await bench.advance(1);
    const { calls } = bench.runtime;
    expect(calls.indexOf('TERM side')).toBeGreaterThan(calls.indexOf('KILL web'));
    expect(execs()).toEqual(['exec side bye']);
    expect(bench.report(one).gone).toBe(true);
    expect(bench.clock.pending).toBe(0);
  });

  it('a container has two seconds after its signal, however short the grace', async () => {
    bench.runtime.ignoresTerm.add('web');
    const one = await run({});
    await bench.apply(deleted(one, 1));
    await bench.advance(1_999);
    expect(bench.runtime.calls).not.toContain('KILL web');
    await bench.advance(1);
    expect(bench.report(one).gone).toBe(true);
  });

  it('that fails is told without its words, and the signal comes all the same', async () => {
    answers.set('bye', 3);
    const one = await run({ lifecycle: { preStop: exec('bye') } });
    await bench.apply(deleted(one, 10));
    expect(bench.events).toContain('FailedPreStopHook: PreStopHook failed');
    expect(bench.report(one).gone).toBe(true);
  });

  it('is taken up again by an agent that is restarted: a sleep where it was, Killing told once', async () => {
    const one = await run({ lifecycle: { preStop: { sleep: { seconds: 6 } } } });
    await bench.apply(deleted(one, 10));
    await bench.advance(4_000);
    await bench.restart();
    await bench.advance(1_999);
    expect(bench.runtime.calls).not.toContain('TERM web');
    await bench.advance(1);
    expect(bench.runtime.calls).toContain('TERM web');
    expect(bench.report(one).gone).toBe(true);
    expect(bench.events.filter((event) => event.startsWith('Killing'))).toHaveLength(1);
  });

  it('a kill for liveness that a restart of the agent interrupts comes to its end', async () => {
    bench.runtime.ignoresTerm.add('web');
    const probe = { ...exec('alive'), periodSeconds: 60, failureThreshold: 1 };
    answers.set('alive', 1);
    const one = await run({ livenessProbe: { ...probe, terminationGracePeriodSeconds: 5 } });
    expect(bench.runtime.calls.at(-1)).toBe('TERM web');
    await bench.advance(2_000);
    await bench.restart();
    await bench.advance(3_000);
    expect(bench.runtime.calls).toContain('KILL web');
    expect(web(one)?.restartCount).toBe(1);
  });
});

describe('postStart', () => {
  it('holds the container back from being started, and the next ones from starting', async () => {
    let end = (_code: number) => {};
    answers.set('hello', new Promise((resolve) => (end = resolve)));
    const first = container('web', { lifecycle: { postStart: exec('hello') } });
    const one = pod('p', { containers: [first, container('zwei')] });
    await bench.apply(one);
    expect(bench.runtime.running()).toEqual(['web']);
    expect(web(one)).toMatchObject({ started: false, ready: false });
    end(0);
    await bench.settle();
    expect(bench.runtime.running()).toEqual(['web', 'zwei']);
    expect(web(one)).toMatchObject({ started: true, ready: true });
  });

  it('that fails has the container killed', async () => {
    answers.set('hello', 1);
    const one = await run({ lifecycle: { postStart: exec('hello') } }, { restartPolicy: 'Never' });
    expect(bench.events).toContain('FailedPostStartHook: PostStartHook failed');
    expect(bench.events).toContain('Killing: FailedPostStartHook');
    expect(bench.report(one).status.phase).toBe('Succeeded');
  });

  it('does not keep a pod from being deleted', async () => {
    answers.set('hello', new Promise(() => {}));
    const one = await run({ lifecycle: { postStart: exec('hello') } });
    await bench.apply(deleted(one, 10));
    expect(bench.report(one).gone).toBe(true);
    expect(bench.clock.pending).toBe(0);
  });
});
