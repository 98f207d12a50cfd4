import type { Deployment } from '../schema/kubernetes-types.ts';
import { ageColumn, nameColumn } from './columns.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';

export const DEPLOYMENTS: ResourceKind<Deployment> = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  singular: 'deployment',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  subresources: ['scale', 'status'],
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
