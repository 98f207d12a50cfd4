import type { Event } from '../schema/kubernetes-types.ts';
import { ageColumn, nameColumn } from './columns.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';

export const EVENTS: ResourceKind<Event> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  categories: [],
  namespaced: true,
  verbs: ALL_VERBS,
  subresources: [],
  isVolatile: () => true,
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
