import type { ReplicaSet } from '../schema/kubernetes-types.ts';
import { ageColumn, nameColumn } from './columns.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';

export const REPLICA_SETS: ResourceKind<ReplicaSet> = {
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  singular: 'replicaset',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  subresources: ['scale', 'status'],
  isVolatile: () => false,
  strategy: {
    prepareForCreate: (object) => ({ ...object, status: object.status ?? { replicas: 0 } }),
    default: (object) => object,
    validate: () => [],
    prepareForUpdate: (next, previous) => ({ ...next, status: previous.status }),
    validateUpdate: () => [],
    prepareForStatusUpdate: (next, previous) => ({ ...previous, status: next.status }),
  },
  columns: [nameColumn(), ageColumn()],
  selectableFields: {},
};
