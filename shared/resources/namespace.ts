import type { Namespace } from '../schema/kubernetes-types.ts';
import { ageColumn, nameColumn } from './columns.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';

export const NAMESPACES: ResourceKind<Namespace> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  categories: [],
  namespaced: false,
  verbs: ALL_VERBS.filter((verb) => verb !== 'deletecollection'),
  subresources: ['finalize', 'status'],
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
