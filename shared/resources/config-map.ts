import type { ConfigMap } from '../schema/kubernetes-types.ts';
import { ageColumn, nameColumn } from './columns.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';

export const CONFIG_MAPS: ResourceKind<ConfigMap> = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  categories: [],
  namespaced: true,
  verbs: ALL_VERBS,
  subresources: [],
  isVolatile: () => false,
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
