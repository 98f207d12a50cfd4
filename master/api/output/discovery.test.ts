import { describe, expect, test } from 'vitest';
import { CATALOG } from '../../../shared/resources/catalog.ts';
import {
  aggregatedDiscovery,
  apiGroupDocument,
  apiGroupListDocument,
  apiResourceListDocument,
} from './discovery.ts';

type Named = { name: string; [key: string]: unknown };

describe('legacy discovery', () => {
  const core = apiResourceListDocument(CATALOG, '', 'v1') as { resources: Named[] };

  test('pods have the short name, category and storage version hash of Kubernetes', () => {
    expect(core.resources.find(({ name }) => name === 'pods')).toMatchObject({
      singularName: 'pod',
      namespaced: true,
      kind: 'Pod',
      shortNames: ['po'],
      categories: ['all'],
      storageVersionHash: 'xPOwRZ+Yhw8=',
    });
  });

  test('subresources are listed beside their resource', () => {
    const names = core.resources.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['pods/log', 'pods/status', 'pods/binding']));
    const apps = apiResourceListDocument(CATALOG, 'apps', 'v1') as { resources: Named[] };
    expect(apps.resources.find(({ name }) => name === 'deployments/scale')).toEqual({
      name: 'deployments/scale',
      singularName: '',
      namespaced: true,
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['get', 'patch', 'update'],
    });
  });

  test('groups name their preferred version, and unknown ones are absent', () => {
    expect(apiGroupDocument(CATALOG, 'apps')).toMatchObject({
      preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
    });
    expect(apiGroupDocument(CATALOG, 'nope')).toBeUndefined();
    expect(apiResourceListDocument(CATALOG, 'apps', 'v2')).toBeUndefined();
    const list = apiGroupListDocument(CATALOG) as { groups: Named[] };
    expect(list.groups.map(({ name }) => name)).toContain('coordination.k8s.io');
  });
});

describe('aggregated discovery', () => {
  test('the core group has no name and every resource carries its kind and scope', () => {
    const { items } = aggregatedDiscovery(CATALOG, 'core', 'v2') as unknown as {
      items: { metadata: object; versions: { resources: object[]; freshness: string }[] }[];
    };
    expect(items).toHaveLength(1);
    expect(items[0]?.metadata).toEqual({ creationTimestamp: null });
    expect(items[0]?.versions[0]?.resources).toContainEqual(
      expect.objectContaining({
        resource: 'namespaces',
        scope: 'Cluster',
        responseKind: { group: '', version: '', kind: 'Namespace' },
      }),
    );
  });

  test('both versions hold the same groups', () => {
    const v2 = aggregatedDiscovery(CATALOG, 'named', 'v2');
    const beta = aggregatedDiscovery(CATALOG, 'named', 'v2beta1');
    expect(v2['items']).toEqual(beta['items']);
    expect(beta['apiVersion']).toBe('apidiscovery.k8s.io/v2beta1');
  });
});
