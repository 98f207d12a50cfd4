import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Deployment, ReplicaSet } from '../../../shared/schema/kubernetes-types.ts';
import { DESIRED_REPLICAS, REVISION } from './annotations.ts';
import { type DeploymentAction, planDeployment } from './plan.ts';
import { POD_TEMPLATE_HASH } from './pod-template-hash.ts';
import { rolloutBounds } from './rollout-bounds.ts';

interface Wanted {
  replicas: number;
  image: string;
  maxSurge?: number | string;
  maxUnavailable?: number | string;
  strategy?: 'RollingUpdate' | 'Recreate';
  revisionHistoryLimit?: number;
  paused?: boolean;
}

function deployment(wanted: Wanted): Deployment {
  const { maxSurge = '25%', maxUnavailable = '25%', strategy = 'RollingUpdate' } = wanted;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'd',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      generation: 1,
    },
    spec: {
      replicas: wanted.replicas,
      selector: { matchLabels: { app: 'web' } },
      strategy:
        strategy === 'Recreate'
          ? { type: strategy }
          : { type: strategy, rollingUpdate: { maxSurge, maxUnavailable } },
      revisionHistoryLimit: wanted.revisionHistoryLimit ?? 10,
      ...(wanted.paused !== undefined && { paused: wanted.paused }),
      template: {
        metadata: { labels: { app: 'web' } } as never,
        spec: { containers: [{ name: 'c', image: wanted.image }] },
      },
    },
    status: {},
  };
}

/** A cluster in which pods become available only when the test lets them. */
class Model {
  wanted: Deployment;
  sets: ReplicaSet[] = [];
  available = new Map<string, number>();
  #created = 0;

  constructor(wanted: Deployment) {
    this.wanted = wanted;
  }

  step(): number {
    const actions = planDeployment(this.observed(), this.observedSets(), []);
    for (const action of actions) this.#apply(action);
    return actions.length;
  }

  get pods(): number {
    return this.sets.reduce((sum, { spec }) => sum + (spec.replicas ?? 0), 0);
  }

  get availablePods(): number {
    return this.sets.reduce((sum, set) => sum + this.#availableOf(set), 0);
  }

  observed(): Deployment {
    const newest = this.sets.find(
      ({ spec }) =>
        spec.template?.spec?.containers[0]?.image ===
        this.wanted.spec.template.spec?.containers[0]?.image,
    );
    return {
      ...this.wanted,
      status: {
        observedGeneration: 1,
        replicas: this.pods,
        availableReplicas: this.availablePods,
        updatedReplicas: newest?.spec.replicas ?? 0,
      },
    };
  }

  observedSets(): ReplicaSet[] {
    return this.sets.map((set) => ({
      ...set,
      status: {
        replicas: set.spec.replicas ?? 0,
        availableReplicas: this.#availableOf(set),
        observedGeneration: 1,
      },
    }));
  }

  /** One more pod of some set becomes available, if one can. */
  becomeAvailable(index: number): void {
    const set = this.sets[index % Math.max(1, this.sets.length)];
    if (set === undefined) return;
    this.available.set(
      set.metadata.name,
      Math.min(set.spec.replicas ?? 0, this.#availableOf(set) + 1),
    );
  }

  #availableOf(set: ReplicaSet): number {
    return Math.min(set.spec.replicas ?? 0, this.available.get(set.metadata.name) ?? 0);
  }

  #apply(action: DeploymentAction): void {
    const replace = (target: ReplicaSet, change: (set: ReplicaSet) => ReplicaSet) => {
      this.sets = this.sets.map((set) =>
        set.metadata.uid === target.metadata.uid ? change(set) : set,
      );
    };
    switch (action.kind) {
      case 'create': {
        this.#created += 1;
        const uid = `rs-${this.#created}`;
        const { template } = this.wanted.spec;
        const labels = { ...template.metadata?.labels, [POD_TEMPLATE_HASH]: action.hash };
        this.sets.push({
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          metadata: {
            name: action.name,
            uid,
            resourceVersion: '1',
            creationTimestamp: `2026-01-01T00:00:${String(this.#created).padStart(2, '0')}Z`,
            annotations: action.annotations,
            generation: 1,
          },
          spec: {
            replicas: action.replicas,
            selector: {},
            template: { ...template, metadata: { labels } as never },
          },
          status: { replicas: 0 },
        });
        return;
      }
      case 'scale':
        replace(action.set, (set) => ({
          ...set,
          metadata: { ...set.metadata, annotations: action.annotations },
          spec: { ...set.spec, replicas: action.replicas },
        }));
        return;
      case 'annotate':
        replace(action.set, (set) => ({
          ...set,
          metadata: { ...set.metadata, annotations: action.annotations },
        }));
        return;
      case 'delete':
        this.sets = this.sets.filter(({ metadata }) => metadata.uid !== action.set.metadata.uid);
        return;
      case 'set-revision':
        this.wanted = {
          ...this.wanted,
          metadata: {
            ...this.wanted.metadata,
            annotations: {
              ...this.wanted.metadata.annotations,
              [REVISION]: String(action.revision),
            },
          },
        };
    }
  }
}

/** Steps, and lets pods become available, until nothing changes any more. */
function settle(model: Model): void {
  for (let round = 0; round < 500; round++) {
    const steps = model.step();
    const before = model.availablePods;
    for (let index = 0; index < model.sets.length; index++) model.becomeAvailable(index);
    if (steps === 0 && model.availablePods === before) return;
  }
  throw new Error('the rollout did not settle');
}

const bound = fc.oneof(
  fc.nat({ max: 5 }),
  fc.integer({ min: 0, max: 100 }).map((percent) => `${percent}%`),
);

describe('a rolling update', () => {
  test('never exceeds replicas + maxSurge, never takes more than maxUnavailable away, and ends with the newest template alone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        bound,
        bound,
        fc.array(fc.nat({ max: 7 }), { maxLength: 60 }),
        (replicas, maxSurge, maxUnavailable, order) => {
          fc.pre(
            !(
              Number.parseInt(String(maxSurge), 10) === 0 &&
              Number.parseInt(String(maxUnavailable), 10) === 0
            ),
          );
          const model = new Model(deployment({ replicas, image: 'a', maxSurge, maxUnavailable }));
          settle(model);
          expect(model.availablePods).toBe(replicas);
          model.wanted = {
            ...deployment({ replicas, image: 'b', maxSurge, maxUnavailable }),
            metadata: model.wanted.metadata,
          };
          const bounds = rolloutBounds(model.wanted);
          for (const index of order) {
            model.step();
            expect(model.pods).toBeLessThanOrEqual(replicas + bounds.maxSurge);
            expect(model.availablePods).toBeGreaterThanOrEqual(replicas - bounds.maxUnavailable);
            model.becomeAvailable(index);
          }
          settle(model);
          const images = model.sets
            .filter(({ spec }) => spec.replicas !== 0)
            .map(({ spec }) => spec.template?.spec?.containers[0]?.image);
          expect(images).toEqual(['b']);
          expect(model.availablePods).toBe(replicas);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a change of replicas in its middle is shared among the sets', () => {
    const model = new Model(
      deployment({ replicas: 10, image: 'a', maxSurge: 3, maxUnavailable: 2 }),
    );
    settle(model);
    model.wanted = {
      ...deployment({ replicas: 10, image: 'b', maxSurge: 3, maxUnavailable: 2 }),
      metadata: model.wanted.metadata,
    };
    for (let step = 0; step < 3; step++) model.step();
    expect(model.sets.map(({ spec }) => spec.replicas)).toEqual([8, 5]);
    model.wanted = { ...model.wanted, spec: { ...model.wanted.spec, replicas: 15 } };
    model.step();
    // 15 + 3 in all, shared 8 : 5.
    expect(model.sets.map(({ spec }) => spec.replicas)).toEqual([11, 7]);
    expect(
      model.sets.every(({ metadata }) => metadata.annotations?.[DESIRED_REPLICAS] === '15'),
    ).toBe(true);
  });

  test('a template that was there before takes its old ReplicaSet and a new revision', () => {
    const model = new Model(deployment({ replicas: 1, image: 'a' }));
    settle(model);
    const { metadata } = model.wanted;
    model.wanted = { ...deployment({ replicas: 1, image: 'b' }), metadata };
    settle(model);
    model.wanted = { ...deployment({ replicas: 1, image: 'a' }), metadata: model.wanted.metadata };
    settle(model);
    expect(model.sets).toHaveLength(2);
    expect(model.sets.map(({ metadata: { annotations } }) => annotations?.[REVISION])).toEqual([
      '3',
      '2',
    ]);
    expect(model.wanted.metadata.annotations?.[REVISION]).toBe('3');
  });

  test('old empty ReplicaSets beyond the history limit go, the oldest first', () => {
    const model = new Model(deployment({ replicas: 1, image: 'v0', revisionHistoryLimit: 2 }));
    settle(model);
    for (const image of ['v1', 'v2', 'v3', 'v4']) {
      model.wanted = {
        ...deployment({ replicas: 1, image, revisionHistoryLimit: 2 }),
        metadata: model.wanted.metadata,
      };
      settle(model);
    }
    expect(model.sets.map(({ spec }) => spec.template?.spec?.containers[0]?.image)).toEqual([
      'v2',
      'v3',
      'v4',
    ]);
  });
});

test('Recreate makes no new pod while an old one exists', () => {
  const model = new Model(deployment({ replicas: 2, image: 'a', strategy: 'Recreate' }));
  settle(model);
  const changed = {
    ...deployment({ replicas: 2, image: 'b', strategy: 'Recreate' }),
    metadata: model.wanted.metadata,
  };
  const oldPod = { metadata: { uid: 'p' }, spec: {}, status: { phase: 'Running' } } as never;
  expect(planDeployment(changed, model.observedSets(), [oldPod]).map(({ kind }) => kind)).toEqual([
    'scale',
  ]);
  const emptied = model
    .observedSets()
    .map((set) => ({ ...set, spec: { ...set.spec, replicas: 0 } }));
  expect(planDeployment(changed, emptied, [oldPod])).toEqual([]);
  expect(planDeployment(changed, emptied, []).map(({ kind }) => kind)).toContain('create');
});

test('a paused Deployment is scaled but not rolled out', () => {
  const model = new Model(deployment({ replicas: 2, image: 'a' }));
  settle(model);
  model.wanted = {
    ...deployment({ replicas: 3, image: 'b', paused: true }),
    metadata: model.wanted.metadata,
  };
  model.step();
  expect(model.sets).toHaveLength(1);
  expect(model.sets[0]?.spec.replicas).toBe(3);
});

test('a Deployment that is being deleted does nothing', () => {
  const doomed = deployment({ replicas: 2, image: 'a' });
  const metadata = { ...doomed.metadata, deletionTimestamp: '2026-01-02T00:00:00Z' };
  expect(planDeployment({ ...doomed, metadata }, [], [])).toEqual([]);
});
