import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import type { ObservedContainer } from './container-labels.ts';
import type { ObservedPod } from './observed-pod.ts';
import { planPod } from './plan.ts';
import { foldObserved, newPodRecord } from './pod-record.ts';
import { container, deleted, PodBench, pod } from './testing/pod-bench.ts';

const NOW = Date.UTC(2026, 0, 1);

const KNOWN = { messages: new Map(), startErrors: new Map(), scheme: 'podman' };

const policies = fc.constantFrom('Always', 'OnFailure', 'Never');

const anyContainer = fc.record({
  container: fc.constantFrom('init', 'a', 'b'),
  attempt: fc.nat(3),
  sandbox: fc.constantFrom(1, 2),
  specImage: fc.constantFrom('app:1', 'app:2'),
  state: fc.constantFrom('created', 'running', 'exited', 'lost'),
  exitCode: fc.constantFrom(0, 1),
});

const anyObserved = fc
  .record({
    containers: fc.uniqueArray(anyContainer, {
      maxLength: 6,
      selector: ({ container: name, attempt }) => `${name}${attempt}`,
    }),
    sandbox: fc.constantFrom('none', 'found', 'ready', 'lost'),
    tornDown: fc.boolean(),
    images: fc.constantFrom('unknown', 'present', 'pulled'),
    isStopping: fc.boolean(),
  })
  .map(({ containers, sandbox, tornDown, images, isStopping }): ObservedPod => {
    const observed = containers.map(
      (one): ObservedContainer => ({
        ...(one as ObservedContainer),
        id: `${one.container}-${one.attempt}`,
        oomKilled: false,
        image: one.specImage,
        imageId: '',
      }),
    );
    return {
      containers: observed,
      record: foldObserved(newPodRecord('default', 'p', NOW), observed, KNOWN, NOW),
      sandbox: sandbox as ObservedPod['sandbox'],
      setUpProblem: undefined,
      volumesStale: false,
      tornDown,
      images: () => ({ state: images as 'unknown' }),
      problems: new Map(),
      stopping: new Map(
        isStopping
          ? observed.map(({ id }) => [id, { sinceMs: NOW - 5_000, signalledMs: NOW - 5_000 }])
          : [],
      ),
      failures: new Map(),
      inPostStart: new Set(),
      isStarted: () => true,
    };
  });

function podOf(restartPolicy: string): Pod {
  return pod('p', {
    restartPolicy,
    initContainers: [container('init')],
    containers: [container('a'), container('b')],
  });
}

describe('planPod', () => {
  it('never ends or removes a running container that the pod still names as it is', () => {
    fc.assert(
      fc.property(anyObserved, policies, (observed, policy) => {
        const plan = planPod(podOf(policy), observed, NOW);
        if (observed.sandbox === 'lost' || plan.finished) return;
        for (const action of plan.actions) {
          if (!('id' in action)) continue;
          const target = observed.containers.find(({ id }) => id === action.id);
          const run = observed.record.containers[action.container]?.run;
          const isWanted =
            target?.state === 'running' &&
            target.sandbox === observed.record.sandbox &&
            run?.id === target.id &&
            target.specImage === 'app:1';
          expect(isWanted).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('never starts a container beside a running one of the same name, nor two at once', () => {
    fc.assert(
      fc.property(anyObserved, policies, (observed, policy) => {
        const starts = planPod(podOf(policy), observed, NOW).actions.filter(
          ({ kind }) => kind === 'startContainer',
        );
        expect(starts.length).toBeLessThanOrEqual(1);
        for (const start of starts) {
          if (start.kind !== 'startContainer') continue;
          const run = observed.record.containers[start.container]?.run;
          expect(run === undefined || run.ended !== undefined).toBe(true);
          const taken = observed.containers.map(
            ({ container: name, attempt }) => `${name}${attempt}`,
          );
          expect(taken).not.toContain(`${start.container}${start.attempt}`);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('starts nothing for a pod that is deleted, not wanted, gone or over', () => {
    fc.assert(
      fc.property(anyObserved, policies, (observed, policy) => {
        const one = podOf(policy);
        const { record } = observed;
        const cases: [Pod | undefined, ObservedPod][] = [
          [undefined, observed],
          [deleted(one), observed],
          [one, { ...observed, record: { ...record, gone: true } }],
          [one, { ...observed, record: { ...record, status: { phase: 'Failed' } } }],
        ];
        for (const [desired, seen] of cases) {
          const kinds = planPod(desired, seen, NOW).actions.map(({ kind }) => kind);
          expect(kinds).not.toContain('startContainer');
          expect(kinds).not.toContain('setUp');
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is the same for the same input', () => {
    fc.assert(
      fc.property(anyObserved, policies, (observed, policy) => {
        const one = podOf(policy);
        expect(planPod(one, observed, NOW)).toEqual(planPod(one, observed, NOW));
      }),
    );
  });
});

type Step =
  | { kind: 'exit'; pick: number; code: number }
  | { kind: 'vanish'; pick: number }
  | { kind: 'advance'; ms: number }
  | { kind: 'restart' | 'powerCut' | 'resync' | 'setImage' };

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('exit' as const),
      pick: fc.nat(9),
      code: fc.constantFrom(0, 1, 137),
    }),
    fc.record({ kind: fc.constant('vanish' as const), pick: fc.nat(9) }),
    fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(60_000) }),
    fc.record({
      kind: fc.constantFrom('restart', 'powerCut', 'resync', 'setImage') as fc.Arbitrary<
        'restart' | 'powerCut' | 'resync' | 'setImage'
      >,
    }),
  ),
  { maxLength: 10 },
);

async function take(bench: PodBench, one: Pod, step: Step): Promise<void> {
  const running = [...bench.runtime.containers.values()].filter(({ state }) => state === 'running');
  switch (step.kind) {
    case 'exit':
    case 'vanish': {
      const target = running[step.pick % Math.max(1, running.length)];
      if (target === undefined) return;
      if (step.kind === 'exit') bench.runtime.exit(target.id, step.code);
      else bench.runtime.containers.delete(target.id);
      return await bench.settle();
    }
    case 'advance':
      return await bench.advance(step.ms);
    case 'restart':
      return await bench.restart();
    case 'powerCut':
      await bench.worker.stop();
      bench.runtime.powerCut();
      bench.network.sandboxes.clear();
      return await bench.restart();
    case 'resync':
      bench.worker.resync();
      return await bench.settle();
    case 'setImage': {
      const [first] = one.spec.containers;
      if (first !== undefined) first.image = first.image === 'app:1' ? 'app:2' : 'app:1';
      return await bench.apply(structuredClone(one));
    }
  }
}

async function benchWith(one: Pod): Promise<PodBench> {
  const bench = new PodBench();
  bench.runtime.addImage('docker.io/library/app:2');
  await bench.start();
  await bench.apply(structuredClone(one));
  return bench;
}

describe('the plans of a pod, carried out', () => {
  it('lead to every container running, whatever happened before', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (happened) => {
        const one = pod('p', {
          containers: [container('a'), container('b')],
          initContainers: [container('side', { restartPolicy: 'Always' })],
        });
        const bench = await benchWith(one);
        for (const step of happened) await take(bench, one, step);
        bench.worker.resync();
        await bench.settle();
        await bench.advance(300_000);
        await bench.advance(300_000);
        expect(bench.runtime.running()).toEqual(['a', 'b', 'side']);
        expect(bench.report(one).status.phase).toBe('Running');
        expect(bench.report(one).status.containerStatuses?.every(({ ready }) => ready)).toBe(true);
        expect(bench.network.sandboxes.size).toBe(1);
        expect(bench.runtime.containers.size).toBeLessThanOrEqual(6);
        await bench.worker.stop();
        expect(bench.clock.pending).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it('leave nothing of a deleted or dropped pod, whatever happened before and meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        steps,
        policies,
        fc.boolean(),
        async (before, after, policy, drops) => {
          const one = pod('p', {
            restartPolicy: policy,
            containers: [container('a'), container('b')],
          });
          const bench = await benchWith(one);
          bench.runtime.ignoresTerm.add('b');
          for (const step of before) await take(bench, one, step);
          if (drops) await bench.drop(one);
          else await bench.apply(deleted(one, 10));
          const happened = after.filter(({ kind }) => kind !== 'setImage');
          for (const step of happened) await take(bench, one, step);
          bench.worker.resync();
          await bench.settle();
          await bench.advance(60_000);
          if (!drops) expect(bench.report(one).gone).toBe(true);
          await bench.drop(one);
          await bench.advance(60_000);
          expect(bench.runtime.containers.size).toBe(0);
          expect(bench.network.sandboxes.size).toBe(0);
          expect(bench.volumes.pods.size).toBe(0);
          expect(bench.logs.pods.size).toBe(0);
          expect(bench.state.records.size).toBe(0);
          await bench.worker.stop();
        },
      ),
      { numRuns: 40 },
    );
  });
});
