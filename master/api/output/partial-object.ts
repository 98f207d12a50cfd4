import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import type { ObjectMeta } from '../../../shared/schema/kubernetes-types.ts';
import type { MetaApiVersion } from './negotiate.ts';

export interface PartialObjectMetadata {
  kind: 'PartialObjectMetadata';
  apiVersion: MetaApiVersion;
  metadata: ObjectMeta;
}

/** An object without all but its metadata. */
export function partialObject(
  object: KubeObject,
  apiVersion: MetaApiVersion,
): PartialObjectMetadata {
  return { kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata };
}
