import type { Node } from '../schema/kubernetes-types.ts';
import { ageColumn, nameColumn } from './columns.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';

export const NODES: ResourceKind<Node> = {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  categories: [],
  namespaced: false,
  verbs: ALL_VERBS,
  subresources: ['status'],
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
