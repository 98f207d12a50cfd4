import { describe, expect, it } from 'vitest';
import type { Deployment, DeploymentStatus, ReplicaSet } from '../schema/kubernetes-types.ts';
import { DEPLOYMENTS } from './deployment.ts';
import { REPLICA_SETS } from './replica-set.ts';
import { cells, created, createErrors, sent, updated, updateErrors } from './writes-for-tests.ts';

const SPEC = {
  selector: { matchLabels: { app: 'web' } },
  template: {
    metadata: { labels: { app: 'web' } },
    spec: { containers: [{ name: 'a', image: 'nginx' }] },
  },
};
const deployment = (spec: object = {}, metadata: object = {}): Deployment =>
  sent<Deployment>({ metadata, spec: { ...SPEC, ...spec } });
const set = (spec: object = {}): ReplicaSet => sent<ReplicaSet>({ spec: { ...SPEC, ...spec } });

describe('a deployment', () => {
  it('is filled in as on Kubernetes', () => {
    const { spec, status, metadata } = created(DEPLOYMENTS, deployment());
    expect(spec).toMatchObject({
      replicas: 1,
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' },
      },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      template: { spec: { restartPolicy: 'Always', schedulerName: 'default-scheduler' } },
    });
    expect(status).toEqual({});
    expect(metadata.generation).toBe(1);
  });

  it('is defaulted once and for all, and valid after that', () => {
    const once = created(DEPLOYMENTS, deployment());
    expect(DEPLOYMENTS.strategy.default(once)).toEqual(once);
    expect(createErrors(DEPLOYMENTS, deployment())).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    [
      'negative replicas',
      { replicas: -1 },
      ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'no selector',
      { selector: undefined },
      [
        'spec.selector: Required value',
        'spec.template.metadata.labels: Invalid value: map[string]string{"app":"web"}: `selector` does not match template `labels`',
      ],
    ],
    [
      'an empty selector',
      { selector: {} },
      [
        'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for deployment',
      ],
    ],
    [
      'another selector',
      { selector: { matchLabels: { app: 'db' } } },
      [
        'spec.template.metadata.labels: Invalid value: map[string]string{"app":"web"}: `selector` does not match template `labels`',
      ],
    ],
    [
      'no way to roll',
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
      [
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:0, IntVal:0, StrVal:""}: may not be 0 when `maxSurge` is 0',
      ],
    ],
    [
      'a percentage above 100',
      { strategy: { rollingUpdate: { maxUnavailable: '101%' } } },
      [
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:"101%"}: must not be greater than 100%',
      ],
    ],
    [
      'Recreate with a rolling update',
      { strategy: { type: 'Recreate', rollingUpdate: {} } },
      [
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
      ],
    ],
    [
      'an unknown strategy',
      { strategy: { type: 'X' } },
      [
        'spec.strategy: Unsupported value: apps.DeploymentStrategy{Type:"X", RollingUpdate:(*apps.RollingUpdateDeployment)(nil)}: supported values: "Recreate", "RollingUpdate"',
      ],
    ],
    [
      'a short deadline',
      { progressDeadlineSeconds: 5, minReadySeconds: 5 },
      ['spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds'],
    ],
    [
      'pods that end',
      { template: { ...SPEC.template, spec: { ...SPEC.template.spec, restartPolicy: 'Never' } } },
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
    [
      'no containers',
      { template: { ...SPEC.template, spec: {} } },
      ['spec.template.spec.containers: Required value'],
    ],
  ])('with %s is refused', (_what, spec, messages) => {
    expect(createErrors(DEPLOYMENTS, deployment(spec))).toEqual(messages);
  });

  it('raises its generation with its spec or annotations, not with what was only filled in', () => {
    const stored = created(DEPLOYMENTS, deployment());
    const generation = (next: Deployment): number | undefined =>
      updated(DEPLOYMENTS, next, stored).metadata.generation;
    expect(generation(deployment())).toBe(1);
    expect(generation(deployment({ replicas: 2 }))).toBe(2);
    expect(generation(deployment({}, { annotations: { a: 'b' } }))).toBe(2);
    expect(generation(deployment({}, { labels: { a: 'b' } }))).toBe(1);
  });

  it('keeps its selector', () => {
    const stored = created(DEPLOYMENTS, deployment());
    const selector = { matchLabels: { app: 'web', x: 'y' } };
    const template = { ...SPEC.template, metadata: { labels: selector.matchLabels } };
    expect(updateErrors(DEPLOYMENTS, deployment({ selector, template }), stored)).toEqual([
      'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"app":"web", "x":"y"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable',
    ]);
  });

  it('counts its replicas consistently', () => {
    const stored = created(DEPLOYMENTS, deployment());
    const write = (status: DeploymentStatus): string[] =>
      (DEPLOYMENTS.strategy.validateStatusUpdate?.({ ...stored, status }, stored) ?? []).map(
        ({ field, message }) => `${field}: ${message}`,
      );
    expect(write({ replicas: 2, readyReplicas: 2, availableReplicas: 1 })).toEqual([]);
    expect(write({ replicas: 1, readyReplicas: 2 })).toEqual([
      'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
    ]);
  });

  it('takes only the status from a status update', () => {
    const stored = created(DEPLOYMENTS, deployment({}, { labels: { a: 'b' } }));
    const next = deployment({ replicas: 9 }, { labels: { x: 'y' } });
    const result = DEPLOYMENTS.strategy.prepareForStatusUpdate?.(
      { ...next, status: { replicas: 1 } },
      stored,
    );
    expect(result?.spec).toBe(stored.spec);
    expect(result?.metadata.labels).toEqual({ a: 'b' });
    expect(result?.status).toEqual({ replicas: 1 });
  });

  it('prints as kubectl shows it', () => {
    const object = created(DEPLOYMENTS, deployment({ replicas: 3 }));
    const status = { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 2 };
    expect(cells(DEPLOYMENTS, { ...object, status })).toEqual({
      Name: 'web',
      Ready: '2/3',
      'Up-to-date': 3,
      Available: 2,
      Age: '<unknown>',
      Containers: 'a',
      Images: 'nginx',
      Selector: 'app=web',
    });
  });
});

describe('a replica set', () => {
  it('has one replica unless said otherwise, and is valid', () => {
    expect(created(REPLICA_SETS, set()).spec.replicas).toBe(1);
    expect(created(REPLICA_SETS, set({ replicas: 0 })).spec.replicas).toBe(0);
    expect(createErrors(REPLICA_SETS, set())).toEqual([]);
  });

  it('raises its generation with its spec and keeps its selector', () => {
    const stored = created(REPLICA_SETS, set());
    expect(updated(REPLICA_SETS, set(), stored).metadata.generation).toBe(1);
    expect(updated(REPLICA_SETS, set({ replicas: 2 }), stored).metadata.generation).toBe(2);
    const selector = { matchExpressions: [{ key: 'app', operator: 'Exists' }] };
    expect(updateErrors(REPLICA_SETS, set({ selector }), stored)).toEqual([
      'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement{v1.LabelSelectorRequirement{Key:"app", Operator:"Exists", Values:[]string(nil)}}}: field is immutable',
    ]);
  });

  it('prints as kubectl shows it, and is selected by no field of its own', () => {
    const object = { ...created(REPLICA_SETS, set()), status: { replicas: 1, readyReplicas: 1 } };
    expect(cells(REPLICA_SETS, object)).toMatchObject({ Desired: 1, Current: 1, Ready: 1 });
    expect(REPLICA_SETS.selectableFields).toEqual({});
  });
});
