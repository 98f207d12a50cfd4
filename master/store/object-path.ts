import type { ObjectKey } from '../../shared/meta/kube-object.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';

type KindName = { group: string; plural: string };

/** `/registry/<group>/<plural>/`: the prefix of every object of a kind. */
export function kindPrefix({ group, plural }: KindName): string {
  return `/registry/${group}/${plural}/`;
}

/** Where an object lies in the store. */
export function objectPath(kind: KindName, key: ObjectKey): string {
  return `${kindPrefix(kind)}${key.namespace}/${key.name}`;
}

/** The parts of a path; undefined for what is no object. */
export function parseObjectPath(path: string): (KindName & ObjectKey) | undefined {
  const [root, registry, group, plural, namespace, name, ...rest] = path.split('/');
  if (root !== '' || registry !== 'registry' || rest.length > 0) return undefined;
  if (group === undefined || plural === undefined || namespace === undefined) return undefined;
  return name === undefined ? undefined : { group, plural, namespace, name };
}

/** The store's `isVolatile` option, from the rows of the catalog. */
export function volatilePaths(kinds: readonly ResourceKind[]): (path: string) => boolean {
  const byPrefix = new Map(kinds.map((kind) => [kindPrefix(kind), kind]));
  return (path) => {
    const parsed = parseObjectPath(path);
    return parsed ? (byPrefix.get(kindPrefix(parsed))?.isVolatile(parsed) ?? false) : false;
  };
}
