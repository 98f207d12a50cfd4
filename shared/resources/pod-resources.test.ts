import { describe, expect, it } from 'vitest';
import type { Container, Pod, PodSpec } from '../schema/kubernetes-types.ts';
import {
  availableInMs,
  isActive,
  isAvailable,
  isReady,
  isScheduled,
  isTerminal,
} from './pod-conditions.ts';
import {
  formatAmounts,
  memoryBytesOf,
  milliCpuOf,
  podLimits,
  podQosClass,
  podRequests,
} from './pod-resources.ts';
import { sent } from './writes-for-tests.ts';

const needs = (requests: Record<string, string>, more: Partial<Container> = {}): Container => ({
  name: 'c',
  resources: { requests },
  ...more,
});
const limited = (limits: Record<string, string>, requests?: Record<string, string>): Container => ({
  name: 'c',
  resources: { limits, ...(requests && { requests }) },
});

describe('what a pod requests', () => {
  it.each<[string, PodSpec, Record<string, string>]>([
    ['nothing', { containers: [{ name: 'c' }] }, {}],
    [
      'the sum of its containers',
      { containers: [needs({ cpu: '250m' }), needs({ cpu: '1', memory: '1Gi' })] },
      { cpu: '1250m', memory: '1Gi' },
    ],
    ['what it limits', { containers: [limited({ cpu: '1' })] }, { cpu: '1' }],
    [
      'its largest init container',
      {
        containers: [needs({ cpu: '1' })],
        initContainers: [needs({ cpu: '3' }), needs({ cpu: '2', memory: '1Mi' })],
      },
      { cpu: '3', memory: '1Mi' },
    ],
    [
      'its sidecars with its containers',
      {
        containers: [needs({ cpu: '1' })],
        initContainers: [needs({ cpu: '1' }, { restartPolicy: 'Always' })],
      },
      { cpu: '2' },
    ],
    [
      'an init container beside the sidecars before it',
      {
        containers: [needs({ cpu: '1' })],
        initContainers: [needs({ cpu: '1' }, { restartPolicy: 'Always' }), needs({ cpu: '3' })],
      },
      { cpu: '4' },
    ],
    [
      'not the sidecars after an init container',
      {
        containers: [needs({ cpu: '1' })],
        initContainers: [needs({ cpu: '3' }), needs({ cpu: '1' }, { restartPolicy: 'Always' })],
      },
      { cpu: '3' },
    ],
    [
      'overhead',
      { containers: [needs({ cpu: '1' })], overhead: { cpu: '100m', memory: '8Mi' } },
      { cpu: '1100m', memory: '8Mi' },
    ],
  ])('is %s', (_what, spec, expected) => {
    expect(formatAmounts(podRequests(spec))).toEqual(expected);
  });

  it('is counted in milli-CPUs and bytes', () => {
    const amounts = podRequests({ containers: [needs({ cpu: '0.25', memory: '64Mi' })] });
    expect(milliCpuOf(amounts)).toBe(250);
    expect(memoryBytesOf(amounts)).toBe(67_108_864);
    expect(milliCpuOf(new Map())).toBe(0);
  });

  it('has limits of its own, to which overhead adds where there is one', () => {
    const spec = { containers: [limited({ cpu: '1' })], overhead: { cpu: '1', memory: '1Mi' } };
    expect(formatAmounts(podLimits(spec))).toEqual({ cpu: '2' });
  });
});

describe('the QoS class', () => {
  const both = { cpu: '1', memory: '1Gi' };
  it.each<[string, Container[], string]>([
    ['of nothing', [{ name: 'c' }], 'BestEffort'],
    ['of a zero request', [needs({ cpu: '0' })], 'BestEffort'],
    ['of a request', [needs({ cpu: '1' })], 'Burstable'],
    ['of other resources only', [needs({ 'ephemeral-storage': '1Gi' })], 'BestEffort'],
    ['of equal limits', [limited(both, both)], 'Guaranteed'],
    ['of limits alone', [limited(both)], 'Guaranteed'],
    ['of a smaller request', [limited(both, { cpu: '500m' })], 'Burstable'],
    ['of one resource only', [limited({ cpu: '1' })], 'Burstable'],
    ['of one container without limits', [limited(both), { name: 'd' }], 'Burstable'],
  ])('%s', (_what, containers, expected) => {
    expect(podQosClass({ containers })).toBe(expected);
  });
});

describe('the condition of a pod', () => {
  const pod = (status: object, metadata: object = {}): Pod =>
    sent<Pod>({ metadata, spec: { containers: [] }, status });
  const ready = (at: string): Pod =>
    pod({ conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at }] });
  const now = Date.parse('2026-01-01T00:00:30Z');

  it('is available once it has been ready for long enough', () => {
    expect(isAvailable(ready('2026-01-01T00:00:00Z'), 30, now)).toBe(true);
    expect(isAvailable(ready('2026-01-01T00:00:01Z'), 30, now)).toBe(false);
    expect(availableInMs(ready('2026-01-01T00:00:01Z'), 30, now)).toBe(1000);
    expect(availableInMs(pod({}), 0, now)).toBeUndefined();
    expect(isAvailable(ready('2026-01-01T00:00:30Z'), 0, now)).toBe(true);
  });

  it('is terminal when it has ended, active while neither ended nor leaving', () => {
    expect(isTerminal(pod({ phase: 'Failed' }))).toBe(true);
    expect(isTerminal(pod({ phase: 'Running' }))).toBe(false);
    expect(isActive(pod({ phase: 'Running' }))).toBe(true);
    expect(isActive(pod({ phase: 'Running' }, { deletionTimestamp: 'x' }))).toBe(false);
    expect(isReady(pod({ phase: 'Running' }))).toBe(false);
    expect(isScheduled(pod({}))).toBe(false);
  });
});
