import type { Pod } from '../schema/kubernetes-types.ts';
import { ageColumn, nameColumn } from './columns.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';

export const PODS: ResourceKind<Pod> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  subresources: ['binding', 'eviction', 'log', 'status'],
  isVolatile: () => false,
  strategy: {
    prepareForCreate: (object) => ({ ...object, status: object.status ?? {} }),
    default: (object) => object,
    validate: () => [],
    prepareForUpdate: (next, previous) => ({ ...next, status: previous.status }),
    validateUpdate: () => [],
    prepareForStatusUpdate: (next, previous) => ({ ...previous, status: next.status }),
  },
  columns: [nameColumn(), ageColumn()],
  selectableFields: {},
};
