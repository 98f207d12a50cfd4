import type { JsonObject } from '../shared/meta/kube-object.ts';
import type { ApiClient } from './api-client.ts';
import { CommandFailure } from './command-failure.ts';
import { suggestion } from './nearest-word.ts';
import { pathSegment } from './path-segment.ts';

/** One kind as discovery describes it. */
export interface DiscoveredResource {
  groupVersion: string;
  kind: string;
  /** Plural. */
  name: string;
  singularName: string;
  shortNames?: string[];
  /** Words that mean several kinds: `all`. */
  categories?: string[];
  namespaced: boolean;
}

/** Every kind that the server offers, preferred versions first. */
export async function discover(client: ApiClient): Promise<DiscoveredResource[]> {
  const groups = (await client.json('GET', '/apis')) as unknown as {
    groups: { preferredVersion: { groupVersion: string } }[];
  };
  const versions = [
    'v1',
    ...groups.groups.map(({ preferredVersion }) => preferredVersion.groupVersion),
  ];
  const lists = await Promise.all(versions.map((version) => client.json('GET', root(version))));
  return lists.flatMap((list) => {
    const { groupVersion, resources } = list as unknown as {
      groupVersion: string;
      resources: DiscoveredResource[];
    };
    return resources
      .filter(({ name }) => !name.includes('/'))
      .map((resource) => ({ ...resource, groupVersion }));
  });
}

/** The kind that a user means by `word`: `po`, `pod`, `pods`, `Pod`, `deployments.apps`. Throws CommandFailure. */
export function findResource(
  resources: readonly DiscoveredResource[],
  word: string,
): DiscoveredResource {
  const wanted = word.toLowerCase();
  const found = resources.find(
    ({ name, singularName, shortNames, kind, groupVersion }) =>
      [name, singularName, kind.toLowerCase(), ...(shortNames ?? [])].includes(wanted) ||
      wanted === `${name}.${groupVersion.split('/')[0]}`,
  );
  if (found === undefined) {
    const names = resources.flatMap(({ name, singularName }) => [name, singularName]);
    throw new CommandFailure(
      `the server doesn't have a resource type "${word}"${suggestion(wanted, names)}`,
    );
  }
  return found;
}

/** The same, or all kinds of the category that `word` is: `all`. */
export function findResources(
  resources: readonly DiscoveredResource[],
  word: string,
): DiscoveredResource[] {
  const ofCategory = resources.filter(({ categories }) => categories?.includes(word.toLowerCase()));
  return ofCategory.length > 0 ? ofCategory : [findResource(resources, word)];
}

/** `pods`, `deployments.apps`: a kind in messages about what is not there, as the server says it. */
export function qualifiedName({ name, groupVersion }: DiscoveredResource): string {
  return withGroup(name, groupVersion);
}

/** `pod`, `deployment.apps`: a kind before the name of one of its objects, as kubectl prints it. */
export function printedKind({ kind, groupVersion }: DiscoveredResource): string {
  return withGroup(kind.toLowerCase(), groupVersion);
}

function withGroup(word: string, groupVersion: string): string {
  const [group, version] = groupVersion.split('/');
  return version === undefined ? word : `${word}.${group}`;
}

/** The path of a collection, or of one object in it. */
export function resourcePath(
  resource: DiscoveredResource,
  namespace: string | undefined,
  name?: string,
): string {
  const scope =
    resource.namespaced && namespace !== undefined
      ? `/namespaces/${pathSegment('namespace', namespace)}`
      : '';
  const leaf = name === undefined ? '' : `/${pathSegment('resource name', name)}`;
  return `${root(resource.groupVersion)}${scope}/${resource.name}${leaf}`;
}

/** The kind of an object in a manifest. */
export function resourceOf(
  resources: readonly DiscoveredResource[],
  object: JsonObject,
): DiscoveredResource {
  const found = resources.find(
    ({ groupVersion, kind }) => groupVersion === object['apiVersion'] && kind === object['kind'],
  );
  for (const key of ['apiVersion', 'kind']) {
    if (typeof object[key] !== 'string')
      throw new CommandFailure(`an object of the manifest says no ${key}`);
  }
  if (found === undefined) {
    throw new CommandFailure(
      `no matches for kind "${String(object['kind'])}" in version "${String(object['apiVersion'])}"`,
    );
  }
  return found;
}

function root(groupVersion: string): string {
  return groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
}
