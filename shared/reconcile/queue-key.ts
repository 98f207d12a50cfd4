import type { KubeObject, ObjectKey } from '../meta/kube-object.ts';

/** The key of an object in a loop that works on one kind: `namespace/name`. */
export function queueKey(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

export function parseQueueKey(key: string): ObjectKey {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
