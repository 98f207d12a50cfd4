import { createHash } from 'node:crypto';
import type { PodTemplateSpec } from '../../../shared/schema/kubernetes-types.ts';
import { NAME_ALPHABET } from '../../store/generated-name.ts';
import { equalJson } from '../../store/json-equal.ts';

export const POD_TEMPLATE_HASH = 'pod-template-hash';

/**
 * Names a template in ReplicaSet names and pod labels: equal templates, equal hashes; `collisionCount` makes another one when two
 * templates met.
 */
export function podTemplateHash(
  template: PodTemplateSpec,
  collisionCount: number | undefined,
): string {
  const digest = createHash('sha256')
    .update(canonicalJson(withoutHash(template)))
    .update(collisionCount === undefined ? '' : String(collisionCount))
    .digest();
  return [...digest.subarray(0, 10)]
    .map((byte) => NAME_ALPHABET[byte % NAME_ALPHABET.length])
    .join('');
}

/** Whether two templates differ only in the hash label that the controller adds. */
export function equalTemplates(left: PodTemplateSpec, right: PodTemplateSpec): boolean {
  return equalJson(withoutHash(left), withoutHash(right));
}

function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const { [POD_TEMPLATE_HASH]: _hash, ...labels } = template.metadata?.labels ?? {};
  const annotations = template.metadata?.annotations ?? {};
  return {
    metadata: { labels, annotations } as never,
    ...(template.spec !== undefined && { spec: template.spec }),
  };
}

/** JSON with sorted keys and without undefined, so that the order in which a client wrote fields does not count. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
      : part,
  );
}
