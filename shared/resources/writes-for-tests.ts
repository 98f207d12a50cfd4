import type { KubeObject } from '../meta/kube-object.ts';
import type { ResourceKind } from './resource-kind.ts';

/** An object as a client sends it: whatever is missing, the strategy must fill in. */
export function sent<T extends KubeObject>(fields: object): T {
  const { metadata, ...rest } = fields as { metadata?: object };
  return {
    metadata: {
      name: 'web',
      namespace: 'default',
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
      ...metadata,
    },
    ...rest,
  } as unknown as T;
}

/** The object that a create would store. */
export function created<T extends KubeObject>(kind: ResourceKind<T>, object: T): T {
  return kind.strategy.default(kind.strategy.prepareForCreate(object));
}

/** The object that an update would store. */
export function updated<T extends KubeObject>(kind: ResourceKind<T>, next: T, previous: T): T {
  return kind.strategy.default(kind.strategy.prepareForUpdate(next, previous));
}

/** `field: message` for everything wrong with a create. */
export function createErrors<T extends KubeObject>(kind: ResourceKind<T>, object: T): string[] {
  return kind.strategy
    .validate(created(kind, object))
    .map(({ field, message }) => `${field}: ${message}`);
}

/** `field: message` for everything wrong with an update. */
export function updateErrors<T extends KubeObject>(
  kind: ResourceKind<T>,
  next: T,
  previous: T,
): string[] {
  return kind.strategy
    .validateUpdate(updated(kind, next, previous), previous)
    .map(({ field, message }) => `${field}: ${message}`);
}

/** The cells by header; wide ones too. */
export function cells<T extends KubeObject>(
  kind: ResourceKind<T>,
  object: T,
  nowMs = 0,
): Record<string, string | number | boolean> {
  return Object.fromEntries(
    kind.columns.map((column) => [column.name, column.cell(object, nowMs)]),
  );
}
