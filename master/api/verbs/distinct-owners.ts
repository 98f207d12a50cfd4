import type { KubeObject } from '../../../shared/meta/kube-object.ts';

/**
 * The object with each owner once, and a warning when one was named twice: Kubernetes does this at every write.
 * @param moment where a patch finds them, which the warning tells
 */
export function distinctOwners<T extends KubeObject>(
  object: T,
  moment: '' | ' after mutating admission happens' = '',
): { object: T; warnings: string[] } {
  const texts = (object.metadata.ownerReferences ?? []).map((owner) => JSON.stringify(owner));
  const isFirst = (_: unknown, index: number) => texts.indexOf(texts[index] ?? '') === index;
  const ownerReferences = object.metadata.ownerReferences?.filter(isFirst) ?? [];
  if (ownerReferences.length === texts.length) return { object, warnings: [] };
  const repeated = (object.metadata.ownerReferences ?? [])
    .filter((owner, index) => !isFirst(owner, index))
    .map(({ uid }) => uid);
  return {
    object: { ...object, metadata: { ...object.metadata, ownerReferences } },
    warnings: [
      `.metadata.ownerReferences contains duplicate entries${moment}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${repeated.join(', ')}`,
    ],
  };
}
