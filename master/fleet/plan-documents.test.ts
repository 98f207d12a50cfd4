import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ConfigMap, Node, Pod, Secret } from '../../shared/schema/kubernetes-types.ts';
import { type DocumentLookups, diffDocuments, planDocuments, samePlan } from './plan-documents.ts';
import { podReferences } from './pod-references.ts';

const NODE: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'a',
    uid: 'n',
    resourceVersion: '1',
    creationTimestamp: '',
    labels: { x: 'y' },
  },
  spec: { podCIDR: '10.42.0.0/24' },
  status: {},
};

function pod(
  name: string,
  change: { labels?: object; spec?: object; status?: object; rv?: string } = {},
): Pod {
  const { labels = {}, spec = {}, status = {}, rv = '1' } = change;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: name, resourceVersion: rv, labels },
    spec: { nodeName: 'a', containers: [{ name: 'main', image: 'busybox' }], ...spec },
    status,
  } as unknown as Pod;
}

function lookups(names: readonly string[] = []): DocumentLookups {
  const find = (kind: string) => (namespace: string, name: string) =>
    names.includes(name)
      ? ({
          apiVersion: 'v1',
          kind,
          metadata: { name, namespace, uid: name, resourceVersion: '5' },
        } as ConfigMap)
      : undefined;
  return {
    planned: new WeakMap(),
    configMap: find('ConfigMap'),
    secret: find('Secret') as (namespace: string, name: string) => Secret | undefined,
    sealingKeyFingerprint: 'f1',
  };
}

function versionOf(one: Pod): string | undefined {
  return planDocuments(undefined, [one], lookups()).get('pods/default/web')?.version;
}

test('a pod names its ConfigMaps and Secrets in volumes, env, envFrom and pull secrets', () => {
  const spec = {
    imagePullSecrets: [{ name: 's1' }],
    volumes: [
      { name: 'a', configMap: { name: 'c1' } },
      { name: 'b', secret: { secretName: 's2' } },
      {
        name: 'c',
        projected: { sources: [{ configMap: { name: 'c2' } }, { secret: { name: 's3' } }] },
      },
      { name: 'd', emptyDir: {} },
    ],
    initContainers: [{ name: 'i', envFrom: [{ configMapRef: { name: 'c3' } }] }],
    containers: [
      {
        name: 'm',
        env: [
          { name: 'A', valueFrom: { configMapKeyRef: { name: 'c4', key: 'k' } } },
          { name: 'B', valueFrom: { secretKeyRef: { name: 's4', key: 'k' } } },
          { name: 'C', value: 'plain' },
        ],
        envFrom: [{ secretRef: { name: 's5' } }],
      },
    ],
    ephemeralContainers: [{ name: 'e', envFrom: [{ configMapRef: { name: 'c5' } }] }],
  };
  const { configMaps, secrets } = podReferences(spec as never);
  expect([...configMaps].sort()).toEqual(['c1', 'c2', 'c3', 'c4', 'c5']);
  expect([...secrets].sort()).toEqual(['s1', 's2', 's3', 's4', 's5']);
});

test('a pod has the same version whatever its status and revision', () => {
  const before = versionOf(pod('web'));
  expect(versionOf(pod('web', { status: { phase: 'Running' }, rv: '9' }))).toBe(before);
  expect(versionOf(pod('web', { labels: { a: 'b' } }))).not.toBe(before);
  expect(versionOf(pod('web', { spec: { hostNetwork: true } }))).not.toBe(before);
});

test('only what exists is planned, and a Secret is marked as one', () => {
  const spec = {
    volumes: [
      { name: 'a', configMap: { name: 'there' } },
      { name: 'b', secret: { secretName: 'there' } },
      { name: 'c', secret: { secretName: 'missing' } },
    ],
  };
  const plan = planDocuments(NODE, [pod('web', { spec })], lookups(['there']));
  expect([...plan.values()].map(({ key, secret }) => [key, secret])).toEqual([
    ['nodes//a', false],
    ['pods/default/web', false],
    ['configmaps/default/there', false],
    ['secrets/default/there', true],
  ]);
  expect(plan.get('configmaps/default/there')?.version).toBe('there.5');
  expect(plan.get('secrets/default/there')?.version).toBe('there.5.f1');
});

test('applying the difference of two plans to the first gives the second', () => {
  const pods = fc.uniqueArray(
    fc.record({ name: fc.constantFrom('p', 'q', 'r', 's'), label: fc.nat({ max: 2 }) }),
    { selector: ({ name }) => name },
  );
  const planOf = (list: { name: string; label: number }[]) =>
    planDocuments(
      NODE,
      list.map(({ name, label }) => pod(name, { labels: { l: String(label) } })),
      lookups(),
    );
  fc.assert(
    fc.property(pods, pods, (first, second) => {
      const have = new Map(planOf(first));
      const want = planOf(second);
      const { puts, deletes } = diffDocuments(have, want);
      for (const key of deletes) have.delete(key);
      for (const document of puts) have.set(document.key, document);
      expect(samePlan(have, want)).toBe(true);
      if (samePlan(planOf(first), want)) expect([...puts, ...deletes]).toEqual([]);
    }),
  );
});
