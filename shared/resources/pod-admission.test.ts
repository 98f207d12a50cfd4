import { describe, expect, it } from 'vitest';
import type { Pod, PodSpec, Toleration } from '../schema/kubernetes-types.ts';
import { PODS } from './pod.ts';
import { created, sent } from './writes-for-tests.ts';

const specOf = (spec: Partial<PodSpec>): PodSpec =>
  created(PODS, sent<Pod>({ spec: { containers: [{ name: 'a', image: 'busybox' }], ...spec } }))
    .spec;

const tolerationsOf = (toleration: Toleration): string[] =>
  (specOf({ tolerations: [toleration] }).tolerations ?? []).slice(1).map(({ key = '' }) => key);

describe('a new pod', () => {
  it.each([
    [
      { priorityClassName: 'nope' },
      'pods "web" is forbidden: no PriorityClass with name nope was found',
    ],
    [
      { priority: 5 },
      'pods "web" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    ],
    [
      { preemptionPolicy: 'Never' },
      'pods "web" is forbidden: the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission controller computed PreemptLowerPriority from the given PriorityClass name',
    ],
    [
      { runtimeClassName: 'none' },
      'pods "web" is forbidden: pod rejected: RuntimeClass "none" not found',
    ],
  ])('with %o is refused by admission', (spec, message) => {
    expect(() => specOf(spec)).toThrow(
      expect.objectContaining({ code: 403, message, details: { name: 'web', kind: 'pods' } }),
    );
  });

  it('of a class that every cluster has gets its priority', () => {
    expect(specOf({ priorityClassName: 'system-node-critical' }).priority).toBe(2_000_001_000);
  });

  it('keeps its own tolerations of an absent node', () => {
    const notReady = 'node.kubernetes.io/not-ready';
    const unreachable = 'node.kubernetes.io/unreachable';
    expect(tolerationsOf({ key: 'a', operator: 'Exists' })).toEqual([notReady, unreachable]);
    expect(tolerationsOf({ key: notReady, operator: 'Exists' })).toEqual([unreachable]);
    expect(tolerationsOf({ operator: 'Exists' })).toEqual([]);
    expect(tolerationsOf({ operator: 'Exists', effect: 'NoSchedule' })).toEqual([
      notReady,
      unreachable,
    ]);
  });
});
