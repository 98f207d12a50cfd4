import { createHash } from 'node:crypto';
import type { JsonObject } from '../../../shared/meta/kube-object.ts';
import {
  apiVersionOf,
  type ResourceKind,
  type Verb,
} from '../../../shared/resources/resource-kind.ts';
import type { Gvk } from '../../../shared/schema/gvk.ts';
import { SUBRESOURCES } from './subresources.ts';

/** What discovery tells of a kind: the part of a catalog row that it reads. */
export type DiscoverableKind = Pick<
  ResourceKind,
  | 'group'
  | 'version'
  | 'kind'
  | 'plural'
  | 'singular'
  | 'shortNames'
  | 'categories'
  | 'namespaced'
  | 'verbs'
  | 'subresources'
>;

type Catalog = readonly DiscoverableKind[];

/** The document at /api. `serverAddress` is `HOST:PORT`, as clients in any network reach this server. */
export function apiVersionsDocument(serverAddress: string): JsonObject {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

/** The document at /apis. */
export function apiGroupListDocument(catalog: Catalog): JsonObject {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: namedGroups(catalog).map((group) => apiGroup(catalog, group)),
  };
}

/** The document at /apis/GROUP; undefined when the group is not served. */
export function apiGroupDocument(catalog: Catalog, group: string): JsonObject | undefined {
  if (!namedGroups(catalog).includes(group)) return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(catalog, group) };
}

/** The document at /api/v1 (group '') or /apis/GROUP/VERSION; undefined when it is not served. */
export function apiResourceListDocument(
  catalog: Catalog,
  group: string,
  version: string,
): JsonObject | undefined {
  const kinds = kindsOf(catalog, group, version);
  if (kinds.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: apiVersionOf({ group, version }),
    resources: kinds.flatMap((kind) => [legacyResource(kind), ...legacySubresources(kind)]),
  };
}

/**
 * The APIGroupDiscoveryList (KEP-3352) at /api (`core`) or /apis (`named`), in one of the two versions that clients ask for:
 * kubectl 1.27 to 1.29 v2beta1, later ones v2. Both have the same fields.
 */
export function aggregatedDiscovery(
  catalog: Catalog,
  scope: 'core' | 'named',
  version: 'v2' | 'v2beta1',
): JsonObject {
  const groups = scope === 'core' ? [''] : namedGroups(catalog);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
      versions: versionsOf(catalog, group).map((groupVersion) => ({
        version: groupVersion,
        resources: kindsOf(catalog, group, groupVersion).map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
  };
}

/** The content type of an aggregated document, also what a client's Accept names. */
export function aggregatedContentType(version: 'v2' | 'v2beta1'): string {
  return `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
}

function namedGroups(catalog: Catalog): string[] {
  return [...new Set(catalog.map((kind) => kind.group))].filter((group) => group !== '');
}

function versionsOf(catalog: Catalog, group: string): string[] {
  const versions = catalog.filter((kind) => kind.group === group).map((kind) => kind.version);
  return [...new Set(versions)];
}

function kindsOf(catalog: Catalog, group: string, version: string): DiscoverableKind[] {
  return catalog
    .filter((kind) => kind.group === group && kind.version === version)
    .sort((a, b) => (a.plural < b.plural ? -1 : 1));
}

function apiGroup(catalog: Catalog, group: string): JsonObject {
  const versions = versionsOf(catalog, group).map((version) => ({
    groupVersion: `${group}/${version}`,
    version,
  }));
  return { name: group, versions, preferredVersion: versions[0] ?? null };
}

function legacyResource(kind: DiscoverableKind): JsonObject {
  return {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: sortedVerbs(kind.verbs),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: [...kind.shortNames] }),
    ...(kind.categories.length === 0 ? {} : { categories: [...kind.categories] }),
    storageVersionHash: storageVersionHash(kind),
  };
}

function legacySubresources(kind: DiscoverableKind): JsonObject[] {
  return sortedSubresources(kind).map((name) => {
    const { verbs, responseKind } = SUBRESOURCES[name];
    return {
      name: `${kind.plural}/${name}`,
      singularName: '',
      namespaced: kind.namespaced,
      ...(responseKind === undefined
        ? {}
        : { group: responseKind.group, version: responseKind.version }),
      kind: (responseKind ?? kind).kind,
      verbs: [...verbs],
    };
  });
}

/** The group and version are empty where they are those of the list. */
function responseKindOf({ kind }: DiscoverableKind, other?: Gvk): JsonObject {
  return other === undefined ? { group: '', version: '', kind } : gvkOf(other);
}

function aggregatedResource(kind: DiscoverableKind): JsonObject {
  const subresources = sortedSubresources(kind).map((name) => ({
    subresource: name,
    responseKind: responseKindOf(kind, SUBRESOURCES[name].responseKind),
    verbs: [...SUBRESOURCES[name].verbs],
  }));
  return {
    resource: kind.plural,
    responseKind: responseKindOf(kind),
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: sortedVerbs(kind.verbs),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: [...kind.shortNames] }),
    ...(kind.categories.length === 0 ? {} : { categories: [...kind.categories] }),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}

function gvkOf({
  group,
  version,
  kind,
}: {
  group: string;
  version: string;
  kind: string;
}): JsonObject {
  return { group, version, kind };
}

function sortedVerbs(verbs: readonly Verb[]): string[] {
  return [...verbs].sort();
}

function sortedSubresources(kind: DiscoverableKind): DiscoverableKind['subresources'] {
  return [...kind.subresources].sort();
}

/** As apiserver's discovery.StorageVersionHash: the first 8 bytes of the SHA-256 of `group/version/kind`. */
function storageVersionHash({ group, version, kind }: DiscoverableKind): string {
  return createHash('sha256')
    .update(`${group}/${version}/${kind}`)
    .digest()
    .subarray(0, 8)
    .toString('base64');
}
