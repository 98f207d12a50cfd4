import { ApiError, forbidden, notFound } from '../../shared/errors.ts';
import type { KubeObject } from '../../shared/meta/kube-object.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Namespace } from '../../shared/schema/kubernetes-types.ts';

const IMMORTAL = ['default', 'kube-system', 'kube-public'];

const NAMESPACE_NAMES = { group: '', plural: 'namespaces' };

export function isNamespaceKind(kind: { group: string; plural: string }): boolean {
  return kind.group === NAMESPACE_NAMES.group && kind.plural === NAMESPACE_NAMES.plural;
}

/** What a namespace that is missing or terminating refuses (admission plugin NamespaceLifecycle). */
export function checkNamespaceTakes(
  kind: ResourceKind,
  object: KubeObject,
  namespace: Namespace | undefined,
): void {
  const name = object.metadata.namespace ?? '';
  if (!namespace) throw notFound(NAMESPACE_NAMES, name);
  if (namespace.status?.phase !== 'Terminating') return;
  const refusal = forbidden(
    kind,
    object.metadata.name || object.metadata.generateName || 'Unknown',
    `unable to create new content in namespace ${name} because it is being terminated`,
  );
  throw new ApiError(refusal.reason, refusal.message, {
    ...refusal.details,
    causes: [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${name} is being terminated`,
        field: 'metadata.namespace',
      },
    ],
  });
}

/** Three namespaces are never deleted. */
export function checkMortal(kind: ResourceKind, name: string): void {
  if (isNamespaceKind(kind) && IMMORTAL.includes(name)) {
    throw forbidden(NAMESPACE_NAMES, name, 'this namespace may not be deleted');
  }
}
