import { describe, expect, it } from 'vitest';
import { CATALOG, findByKind, findByPlural } from './catalog.ts';
import { apiVersionOf, qualifiedPlural } from './resource-kind.ts';

describe('the catalog', () => {
  it('has every kind that is served', () => {
    expect(CATALOG.map(qualifiedPlural).sort()).toEqual([
      'configmaps',
      'deployments.apps',
      'endpoints',
      'endpointslices.discovery.k8s.io',
      'events',
      'leases.coordination.k8s.io',
      'namespaces',
      'nodes',
      'pods',
      'replicasets.apps',
      'secrets',
      'serviceaccounts',
      'services',
    ]);
  });

  it('is searched by kind and by plural', () => {
    expect(findByKind('apps', 'v1', 'Deployment')?.plural).toBe('deployments');
    expect(findByPlural('', 'v1', 'pods')?.kind).toBe('Pod');
    expect(findByKind('', 'v1', 'Deployment')).toBeUndefined();
    expect(findByPlural('apps', 'v2', 'deployments')).toBeUndefined();
  });

  it.each(CATALOG)('$kind is consistent', (kind) => {
    expect(findByKind(kind.group, kind.version, kind.kind)).toBe(kind);
    expect(apiVersionOf(kind)).toMatch(/^([a-z.0-9]+\/)?v1$/);
    expect(kind.columns.filter(({ format }) => format === 'name')).toHaveLength(1);
    const hasStatus = kind.subresources.includes('status');
    expect(kind.strategy.prepareForStatusUpdate !== undefined).toBe(hasStatus);
    expect(kind.strategy.validateStatusUpdate !== undefined).toBe(hasStatus);
  });
});
