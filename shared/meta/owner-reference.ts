import type { ObjectMeta, OwnerReference } from '../schema/kubernetes-types.ts';
import type { KubeObject } from './kube-object.ts';

/** The reference that marks `owner` as the one controller of a dependent. */
export function controllerReference(owner: KubeObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The reference to the controller of an object, if it has one. */
export function controllerOf(metadata: ObjectMeta): OwnerReference | undefined {
  return metadata.ownerReferences?.find((reference) => reference.controller === true);
}

export function isControlledBy(metadata: ObjectMeta, owner: KubeObject): boolean {
  return controllerOf(metadata)?.uid === owner.metadata.uid;
}

/** The group of a reference's apiVersion: '' for `v1`, `apps` for `apps/v1`. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}
