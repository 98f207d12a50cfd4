import { describe, expect, it } from 'vitest';
import type { PodSpec } from '../schema/kubernetes-types.ts';
import { podWarnings } from './pod-warnings.ts';

const of = (container: object, spec: object = {}): string[] =>
  podWarnings({ containers: [{ name: 'c', ...container }], ...spec } as PodSpec, '');

describe('a pod is warned of', () => {
  it.each<[string, object, string]>([
    [
      'a variable that hides another',
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'A', value: '2' },
        ],
      },
      'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    ],
    [
      'a fraction of a byte',
      { resources: { limits: { memory: '1500m' } } },
      'spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, must be an integer',
    ],
    [
      'a port twice',
      {
        ports: [
          { containerPort: 80, protocol: 'TCP' },
          { containerPort: 80, protocol: 'TCP' },
        ],
      },
      'spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]',
    ],
    [
      'a port once with a host port and once without',
      {
        ports: [
          { containerPort: 80, protocol: 'TCP', hostPort: 80 },
          { containerPort: 80, protocol: 'TCP' },
        ],
      },
      'spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]',
    ],
  ])('%s', (_what, container, message) => {
    expect(of(container)).toEqual([message]);
  });

  it('pull secrets that are empty or repeated', () => {
    expect(of({}, { imagePullSecrets: [{ name: 'a' }, { name: 'a' }, {}] })).toEqual([
      'spec.imagePullSecrets[2].name: invalid empty name ""',
      'spec.imagePullSecrets[1].name: duplicate name "a"',
    ]);
  });
});

it('nothing is said of a pod as it should be', () => {
  expect(
    of({
      env: [
        { name: 'A', value: '1' },
        { name: 'A', value: '$(A)2' },
      ],
      ports: [
        { containerPort: 80, protocol: 'TCP' },
        { containerPort: 80, protocol: 'UDP' },
      ],
      resources: { limits: { memory: '64Mi', cpu: '100m' } },
    }),
  ).toEqual([]);
});
