import { describe, expect, it } from 'vitest';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import type { Waiting } from './observed-pod.ts';
import { newPodRecord, type RunRecord } from './pod-record.ts';
import { podStatus } from './status.ts';
import { container, pod } from './testing/pod-bench.ts';

const NOW = Date.UTC(2026, 0, 1);

function run(exitCode?: number): RunRecord {
  return {
    id: 'x',
    attempt: 0,
    sandbox: 1,
    specImage: 'app:1',
    image: 'docker.io/library/app:1',
    imageId: 'id',
    ...(exitCode === undefined
      ? {}
      : { ended: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' } }),
  };
}

function statusOf(
  one: Pod,
  runs: Record<string, RunRecord>,
  more: {
    finished?: boolean;
    waiting?: Record<string, Waiting>;
    previous?: ReturnType<typeof podStatus>;
  } = {},
) {
  const record = newPodRecord('default', 'p', NOW - 5_000);
  record.containers = Object.fromEntries(
    Object.entries(runs).map(([name, own]) => [name, { run: own }]),
  );
  if (more.previous !== undefined) record.status = more.previous;
  return podStatus(
    one,
    {
      record,
      waiting: new Map(Object.entries(more.waiting ?? {})),
      readiness: { isStarted: () => true, isReady: () => true },
      scheme: 'podman',
      finished: more.finished ?? false,
      hasSandbox: true,
      hostIp: '192.0.2.1',
    },
    NOW,
  );
}

const conditions = (status: ReturnType<typeof podStatus>) =>
  Object.fromEntries((status.conditions ?? []).map((one) => [one.type, one]));

describe('podStatus', () => {
  const two = pod('p', {
    restartPolicy: 'OnFailure',
    containers: [container('a'), container('b')],
  });

  it('has the phase that Kubernetes gives for its containers', () => {
    const phase = (runs: Record<string, RunRecord>, finished = false) =>
      statusOf(two, runs, { finished }).phase;
    expect(phase({})).toBe('Pending');
    expect(phase({ a: run() })).toBe('Pending');
    expect(phase({ a: run(), b: run(0) })).toBe('Running');
    expect(phase({ a: run(1), b: run(0) })).toBe('Running');
    expect(phase({ a: run(0), b: run(0) }, true)).toBe('Succeeded');
    expect(phase({ a: run(1), b: run(0) }, true)).toBe('Failed');
    expect(phase({}, true)).toBe('Failed');
  });

  it('names the containers that are not ready', () => {
    const { Ready, ContainersReady, Initialized } = conditions(statusOf(two, { a: run() }));
    expect(ContainersReady).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [b]',
    });
    expect(Ready).toMatchObject({ status: 'False', reason: 'ContainersNotReady' });
    expect(Initialized).toMatchObject({ status: 'True' });
  });

  it('names the init containers that are not done', () => {
    const one = pod('p', { initContainers: [container('i'), container('j')] });
    const { Initialized } = conditions(statusOf(one, { i: run(0) }));
    expect(Initialized).toMatchObject({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [j]',
    });
  });

  it('keeps the time of a condition as long as its status', () => {
    const before = statusOf(two, { a: run(), b: run() });
    const later = podStatus(
      two,
      {
        record: { ...newPodRecord('default', 'p', NOW), status: before },
        waiting: new Map(),
        readiness: { isStarted: () => true, isReady: () => true },
        scheme: 'podman',
        finished: false,
        hasSandbox: true,
        hostIp: '192.0.2.1',
      },
      NOW + 60_000,
    );
    expect(conditions(later)['Initialized']?.lastTransitionTime).toBe('2026-01-01T00:00:00Z');
    expect(conditions(later)['Ready']?.lastTransitionTime).toBe('2026-01-01T00:01:00Z');
  });

  it('waits for readiness gates that others set', () => {
    const one = pod('p', { readinessGates: [{ conditionType: 'x/ready' }] });
    expect(conditions(statusOf(one, { web: run() }))['Ready']).toMatchObject({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
      message: 'corresponding condition of pod readiness gate "x/ready" does not exist.',
    });
    one.status = { conditions: [{ type: 'x/ready', status: 'True' }] };
    expect(conditions(statusOf(one, { web: run() }))['Ready']?.status).toBe('True');
  });

  it('does not come back from the end', () => {
    const previous = statusOf(two, { a: run(0), b: run(0) }, { finished: true });
    expect(statusOf(two, { a: run(0), b: run(0) }, { previous }).phase).toBe('Succeeded');
    expect(conditions(previous)['Ready']).toMatchObject({
      status: 'False',
      reason: 'PodCompleted',
    });
    expect(conditions(previous)['Initialized']).toMatchObject({
      status: 'True',
      reason: 'PodCompleted',
    });
  });
});
