import type { ObjectMeta } from '../schema/kubernetes-types.ts';

/**
 * What every stored object has. Objects are immutable values once stored: whoever changes one makes a new one. `uid`,
 * `resourceVersion` and `creationTimestamp` are empty strings until the registry stamps them.
 */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | JsonValue[]
  | { [key: string]: JsonValue };

export type JsonObject = { [key: string]: JsonValue };

/** Where an object lives within its kind; `namespace` is '' for cluster-scoped kinds. */
export interface ObjectKey {
  namespace: string;
  name: string;
}

export function objectKey(object: KubeObject): ObjectKey {
  return { namespace: object.metadata.namespace ?? '', name: object.metadata.name };
}
