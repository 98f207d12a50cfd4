import { carriedMetadata, newMetadata, statusMetadata } from '../meta/carried-metadata.ts';
import { semanticEqual } from '../meta/equality.ts';
import { type FieldError, validateNonNegative } from '../meta/field-error.ts';
import { formatLabelSelector } from '../meta/label-selector.ts';
import { nameIsDnsSubdomain } from '../meta/names.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../meta/object-meta.ts';
import type { ReplicaSet, ReplicaSetSpec } from '../schema/kubernetes-types.ts';
import { ageColumn, column, containerColumns, nameColumn, wideColumn } from './columns.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { podWarnings } from './pod-warnings.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';
import {
  validateReplicaCounts,
  validateSelectorAndTemplate,
  validateSelectorUpdate,
} from './workload-validation.ts';

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
    prepareForCreate: (set) => ({
      ...set,
      metadata: newMetadata(set.metadata, 1),
      status: { replicas: 0 },
    }),
    default: defaultReplicaSet,
    warnings: ({ spec }) =>
      podWarnings(spec.template?.spec ?? { containers: [] }, 'spec.template.'),
    validate: (set) => [
      ...validateObjectMeta(set.metadata, true, nameIsDnsSubdomain),
      ...validateSpec(set.spec),
    ],
    prepareForUpdate: (next, previous) => {
      const complete = defaultReplicaSet(next);
      const isChanged = !semanticEqual(complete.spec, previous.spec);
      return {
        ...complete,
        metadata: carriedMetadata(next.metadata, previous.metadata, isChanged),
        status: previous.status,
      };
    },
    validateUpdate: (next, previous) => [
      ...validateObjectMetaUpdate(next.metadata, previous.metadata),
      ...validateSpec(next.spec),
      ...validateSelectorUpdate(next.spec.selector, previous.spec.selector),
    ],
    prepareForStatusUpdate: (next, previous) => ({
      ...next,
      metadata: statusMetadata(next.metadata, previous.metadata),
      spec: previous.spec,
    }),
    validateStatusUpdate,
  },
  columns: [
    nameColumn(),
    column(
      'Desired',
      'integer',
      'Number of pods that are wanted.',
      ({ spec }) => spec.replicas ?? 1,
    ),
    column(
      'Current',
      'integer',
      'Number of pods that exist.',
      ({ status }) => status?.replicas ?? 0,
    ),
    column(
      'Ready',
      'integer',
      'Number of pods that are ready.',
      ({ status }) => status?.readyReplicas ?? 0,
    ),
    ageColumn(),
    ...containerColumns<ReplicaSet>(({ spec }) => spec.template?.spec?.containers),
    wideColumn('Selector', 'string', 'The selector of its pods.', ({ spec }) =>
      formatLabelSelector(spec.selector),
    ),
  ],
  selectableFields: {},
};

function defaultReplicaSet(set: ReplicaSet): ReplicaSet {
  const spec: Partial<ReplicaSetSpec> = set.spec ?? {};
  return {
    ...set,
    spec: {
      ...(spec as ReplicaSetSpec),
      replicas: spec.replicas ?? 1,
      template: defaultPodTemplate(spec.template),
    },
  };
}

function validateSpec(spec: ReplicaSetSpec): FieldError[] {
  return [
    ...validateNonNegative('spec.replicas', spec.replicas),
    ...validateNonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...validateSelectorAndTemplate(spec),
  ];
}

function validateStatusUpdate(next: ReplicaSet, previous: ReplicaSet): FieldError[] {
  const rule = 'cannot be greater than status.replicas';
  return [
    ...validateObjectMetaUpdate(next.metadata, previous.metadata),
    ...validateReplicaCounts(
      next.status ?? {},
      [
        'replicas',
        'fullyLabeledReplicas',
        'readyReplicas',
        'availableReplicas',
        'observedGeneration',
        'terminatingReplicas',
      ],
      [
        { field: 'fullyLabeledReplicas', atMost: 'replicas', rule },
        { field: 'readyReplicas', atMost: 'replicas', rule },
        { field: 'availableReplicas', atMost: 'replicas', rule },
        {
          field: 'availableReplicas',
          atMost: 'readyReplicas',
          rule: 'cannot be greater than readyReplicas',
        },
      ],
    ),
  ];
}
