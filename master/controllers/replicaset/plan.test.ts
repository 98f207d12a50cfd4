import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Pod, ReplicaSet } from '../../../shared/schema/kubernetes-types.ts';
import { planReplicaSet } from './plan.ts';

const NOW = Date.parse('2026-01-01T01:00:00Z');

function replicaSet(replicas: number): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'rs',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: {} },
    status: { replicas: 0 },
  };
}

function pod(
  name: string,
  change: {
    labels?: Record<string, string>;
    node?: string;
    phase?: string;
    readySince?: string;
    deleting?: boolean;
    restarts?: number;
    cost?: number;
  } = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: change.labels ?? { app: 'web' },
      ...(change.deleting === true && { deletionTimestamp: '2026-01-01T00:30:00Z' }),
      ...(change.cost !== undefined && {
        annotations: { 'controller.kubernetes.io/pod-deletion-cost': String(change.cost) },
      }),
    },
    spec: { containers: [], ...(change.node !== undefined && { nodeName: change.node }) },
    status: {
      phase: change.phase ?? 'Running',
      conditions: [
        {
          type: 'Ready',
          status: change.readySince === undefined ? 'False' : 'True',
          ...(change.readySince !== undefined && { lastTransitionTime: change.readySince }),
        },
      ],
      containerStatuses: [
        { name: 'c', restartCount: change.restarts ?? 0, image: '', imageID: '', ready: true },
      ],
    },
  };
}

const deleted = (pods: Pod[], replicas: number) =>
  planReplicaSet(replicaSet(replicas), pods, [], NOW).flatMap((action) =>
    action.kind === 'delete' ? [action.pod.metadata.name] : [],
  );

test('after the plan there are as many active matching pods as wanted', () => {
  const anyPod = fc.record({
    matches: fc.boolean(),
    phase: fc.constantFrom('Pending', 'Running', 'Failed', 'Succeeded'),
    deleting: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(anyPod, { maxLength: 12 }),
      fc.array(anyPod, { maxLength: 4 }),
      fc.nat({ max: 12 }),
      (ownedSpecs, orphanSpecs, replicas) => {
        const make =
          (prefix: string) =>
          (spec: { matches: boolean; phase: string; deleting: boolean }, index: number) =>
            pod(`${prefix}${index}`, {
              labels: { app: spec.matches ? 'web' : 'other' },
              phase: spec.phase,
              deleting: spec.deleting,
            });
        const owned = ownedSpecs.map(make('owned'));
        const orphans = orphanSpecs.map(make('orphan'));
        const isActive = ({ metadata, status }: Pod) =>
          metadata.deletionTimestamp === undefined &&
          ['Pending', 'Running'].includes(status.phase ?? '');
        const counted = [...owned, ...orphans].filter(
          (one) => one.metadata.labels?.['app'] === 'web' && isActive(one),
        ).length;
        const actions = planReplicaSet(replicaSet(replicas), owned, orphans, NOW);
        const created = actions.reduce(
          (sum, action) => sum + (action.kind === 'create' ? action.count : 0),
          0,
        );
        const removed = actions.filter(({ kind }) => kind === 'delete').length;
        expect(counted + created - removed).toBe(replicas);
        expect(created === 0 || removed === 0).toBe(true);
      },
    ),
  );
});

test('a pod that no longer matches is let go, a matching one without a controller is taken', () => {
  const stray = pod('stray', { labels: { app: 'other' } });
  const orphan = pod('orphan');
  expect(planReplicaSet(replicaSet(1), [stray], [orphan], NOW)).toEqual([
    { kind: 'release', pod: stray },
    { kind: 'adopt', pod: orphan },
  ]);
});

test('pods without a node go before pending, not ready and ready ones', () => {
  const pods = [
    pod('ready', { node: 'n', readySince: '2026-01-01T00:10:00Z' }),
    pod('unready', { node: 'n' }),
    pod('pending', { node: 'n', phase: 'Pending' }),
    pod('unscheduled', { phase: 'Pending' }),
  ];
  expect(deleted(pods, 1)).toEqual(['unscheduled', 'pending', 'unready']);
});

test('a lower deletion cost goes first', () => {
  const since = '2026-01-01T00:10:00Z';
  expect(
    deleted(
      [
        pod('dear', { node: 'n', readySince: since, cost: 10 }),
        pod('cheap', { node: 'n', readySince: since, cost: -5 }),
      ],
      1,
    ),
  ).toEqual(['cheap']);
});

test('of two nodes the fuller one gives up a pod', () => {
  const since = '2026-01-01T00:10:00Z';
  const pods = [
    pod('a1', { node: 'a', readySince: since }),
    pod('b1', { node: 'b', readySince: since }),
    pod('b2', { node: 'b', readySince: since }),
  ];
  expect(deleted(pods, 2)[0]).toMatch(/^b/);
});

test('of otherwise equal pods the one that restarted more goes', () => {
  const since = '2026-01-01T00:10:00Z';
  expect(
    deleted(
      [
        pod('calm', { node: 'n', readySince: since }),
        pod('restless', { node: 'n', readySince: since, restarts: 4 }),
      ],
      1,
    ),
  ).toEqual(['restless']);
});

test('a ReplicaSet that is being deleted does nothing', () => {
  const doomed = replicaSet(3);
  expect(
    planReplicaSet(
      { ...doomed, metadata: { ...doomed.metadata, deletionTimestamp: '2026-01-01T00:30:00Z' } },
      [],
      [],
      NOW,
    ),
  ).toEqual([]);
});
