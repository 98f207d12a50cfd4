import type { KubeObject } from '../meta/kube-object.ts';
import { ageOf } from '../meta/time.ts';
import type { Column } from './resource-kind.ts';

/** NAME, the first column of every kind. */
export function nameColumn<T extends KubeObject>(): Column<T> {
  return {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: 'Name must be unique within a namespace.',
    priority: 0,
    cell: (object) => object.metadata.name,
  };
}

/** AGE: the time since metadata.creationTimestamp, as the server renders it into Tables. */
export function ageColumn<T extends KubeObject>(): Column<T> {
  return {
    name: 'Age',
    type: 'string',
    description: 'The time since the object was created.',
    priority: 0,
    cell: (object, nowMs) => ageOf(object.metadata.creationTimestamp, nowMs),
  };
}
