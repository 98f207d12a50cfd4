import type { Lease } from '../schema/kubernetes-types.ts';
import { ageColumn, nameColumn } from './columns.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';

export const LEASES: ResourceKind<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  singular: 'lease',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: ALL_VERBS,
  subresources: [],
  isVolatile: (key) => key.namespace === 'kube-node-lease',
  strategy: {
    prepareForCreate: (object) => object,
    default: (object) => object,
    validate: () => [],
    prepareForUpdate: (next) => next,
    validateUpdate: () => [],
  },
  columns: [nameColumn(), ageColumn()],
  selectableFields: {},
};
