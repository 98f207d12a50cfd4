import type { KubeObject } from '../meta/kube-object.ts';
import { ageOf } from '../meta/time.ts';
import type { Container } from '../schema/kubernetes-types.ts';
import type { Column } from './resource-kind.ts';

/** A column that every `kubectl get` shows. */
export function column<T extends KubeObject>(
  name: string,
  type: Column<T>['type'],
  description: string,
  cell: Column<T>['cell'],
): Column<T> {
  return { name, type, description, priority: 0, cell };
}

/** A column that only `-o wide` shows. */
export function wideColumn<T extends KubeObject>(
  name: string,
  type: Column<T>['type'],
  description: string,
  cell: Column<T>['cell'],
): Column<T> {
  return { name, type, description, priority: 1, cell };
}

/** NAME, the first column of nearly every kind. */
export function nameColumn<T extends KubeObject>(): Column<T> {
  return {
    ...column<T>(
      'Name',
      'string',
      'The name, unique among the objects of its kind in its namespace.',
      (object) => object.metadata.name,
    ),
    format: 'name',
  };
}

/** AGE: the time since metadata.creationTimestamp, as the server renders it into Tables. */
export function ageColumn<T extends KubeObject>(): Column<T> {
  return column('Age', 'string', 'The time since the object was created.', (object, nowMs) =>
    ageOf(object.metadata.creationTimestamp, nowMs),
  );
}

/** CONTAINERS and IMAGES of a workload's template. */
export function containerColumns<T extends KubeObject>(
  containersOf: (object: T) => readonly Container[] | undefined,
): Column<T>[] {
  const list = (object: T, field: 'name' | 'image'): string =>
    (containersOf(object) ?? []).map((container) => container[field] ?? '').join(',');
  return [
    wideColumn('Containers', 'string', 'Names of each container in the template.', (object) =>
      list(object, 'name'),
    ),
    wideColumn(
      'Images',
      'string',
      'Images referenced by each container in the template.',
      (object) => list(object, 'image'),
    ),
  ];
}
