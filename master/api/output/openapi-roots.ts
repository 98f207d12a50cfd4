import type { Gvk } from '../../../shared/schema/gvk.ts';
import { typeOfKind } from '../../../shared/schema/schema.ts';
import type { DiscoverableKind } from './discovery.ts';
import { listTypeOf } from './openapi-definitions.ts';
import type { Operation } from './openapi-operations.ts';
import { SUBRESOURCES } from './subresources.ts';

/** The types that a document begins with; the others follow from what these refer to. */
export function rootTypes(
  kinds: readonly DiscoverableKind[],
  operations: readonly Operation[],
): string[] {
  const ofKinds = kinds.flatMap((kind) => typeOfKind(kind) ?? []);
  const ofOperations = operations.flatMap(({ body, response }) => [body ?? [], response ?? []]);
  return [...new Set([...ofKinds, ...ofOperations.flat(2)])];
}

/** The kinds whose objects have the type: x-kubernetes-group-version-kind of a definition. */
export function kindsOfType(kinds: readonly DiscoverableKind[], type: string): Gvk[] {
  const own = kinds.flatMap((kind): Gvk[] => {
    const { group, version } = kind;
    const ownType = typeOfKind(kind);
    if (ownType === type) return [{ group, version, kind: kind.kind }];
    if (ownType !== undefined && listTypeOf(ownType) === type) {
      return [{ group, version, kind: `${kind.kind}List` }];
    }
    return kind.subresources
      .map((name) => SUBRESOURCES[name].responseKind)
      .filter((exchanged) => exchanged !== undefined && typeOfKind(exchanged) === type)
      .map((exchanged) => ({ ...(exchanged as Gvk) }));
  });
  if (type === 'meta.v1.Status') return [{ group: '', version: 'v1', kind: 'Status' }];
  if (type === 'meta.v1.DeleteOptions') {
    const versions = new Map(
      kinds.map(({ group, version }) => [`${group}/${version}`, { group, version }]),
    );
    return [...versions.values()].map((groupVersion) => ({
      ...groupVersion,
      kind: 'DeleteOptions',
    }));
  }
  return [...new Map(own.map((kind) => [JSON.stringify(kind), kind])).values()];
}
