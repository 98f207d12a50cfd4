import { carriedMetadata, newMetadata, statusMetadata } from '../meta/carried-metadata.ts';
import { semanticEqual } from '../meta/equality.ts';
import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldInvalidEach,
  fieldNotSupported,
  fieldRequired,
  goQuote,
  validateNonNegative,
} from '../meta/field-error.ts';
import { goIntOrString, type IntOrString, percentOf } from '../meta/int-or-string.ts';
import { formatLabelSelector } from '../meta/label-selector.ts';
import { checkPercent, nameIsDnsSubdomain } from '../meta/names.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../meta/object-meta.ts';
import type {
  Deployment,
  DeploymentSpec,
  DeploymentStrategy,
  RollingUpdateDeployment,
} from '../schema/kubernetes-types.ts';
import { ageColumn, column, containerColumns, nameColumn, wideColumn } from './columns.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { podWarnings } from './pod-warnings.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';
import {
  validateReplicaCounts,
  validateSelectorAndTemplate,
  validateSelectorUpdate,
} from './workload-validation.ts';

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
    prepareForCreate: (deployment) => ({
      ...deployment,
      metadata: newMetadata(deployment.metadata, 1),
      status: {},
    }),
    default: defaultDeployment,
    warnings: ({ spec }) =>
      podWarnings(spec.template?.spec ?? { containers: [] }, 'spec.template.'),
    validate: (deployment) => [
      ...validateObjectMeta(deployment.metadata, true, nameIsDnsSubdomain),
      ...validateSpec(deployment.spec),
    ],
    prepareForUpdate,
    validateUpdate: (next, previous) => [
      ...validateObjectMetaUpdate(next.metadata, previous.metadata),
      ...validateSpec(next.spec),
      ...validateSelectorUpdate(next.spec.selector, previous.spec.selector),
    ],
    prepareForStatusUpdate,
    validateStatusUpdate,
  },
  columns: [
    nameColumn(),
    column(
      'Ready',
      'string',
      'Number of the pod with ready state',
      ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`,
    ),
    column(
      'Up-to-date',
      'string',
      'Number of pods that have the current template.',
      ({ status }) => status?.updatedReplicas ?? 0,
    ),
    column(
      'Available',
      'string',
      'Number of pods ready for at least minReadySeconds.',
      ({ status }) => status?.availableReplicas ?? 0,
    ),
    ageColumn(),
    ...containerColumns<Deployment>(({ spec }) => spec.template.spec?.containers),
    wideColumn('Selector', 'string', 'The selector of its pods.', ({ spec }) =>
      formatLabelSelector(spec.selector),
    ),
  ],
  selectableFields: {},
};

function defaultDeployment(deployment: Deployment): Deployment {
  const spec: Partial<DeploymentSpec> = deployment.spec ?? {};
  return {
    ...deployment,
    spec: {
      ...(spec as DeploymentSpec),
      replicas: spec.replicas ?? 1,
      strategy: defaultStrategy(spec.strategy),
      template: defaultPodTemplate(spec.template),
      revisionHistoryLimit: spec.revisionHistoryLimit ?? 10,
      progressDeadlineSeconds: spec.progressDeadlineSeconds ?? 600,
    },
  };
}

function defaultStrategy(strategy: DeploymentStrategy | undefined): DeploymentStrategy {
  const type = strategy?.type || 'RollingUpdate';
  if (type !== 'RollingUpdate') return { ...strategy, type };
  const rolling = strategy?.rollingUpdate;
  return {
    type,
    rollingUpdate: {
      maxUnavailable: rolling?.maxUnavailable ?? '25%',
      maxSurge: rolling?.maxSurge ?? '25%',
    },
  };
}

/** A changed annotation raises the generation too: rollouts carry them to the ReplicaSets. */
function prepareForUpdate(next: Deployment, previous: Deployment): Deployment {
  const complete = defaultDeployment(next);
  const isChanged =
    !semanticEqual(complete.spec, previous.spec) ||
    !semanticEqual(next.metadata.annotations, previous.metadata.annotations);
  return {
    ...complete,
    metadata: carriedMetadata(next.metadata, previous.metadata, isChanged),
    status: previous.status,
  };
}

function prepareForStatusUpdate(next: Deployment, previous: Deployment): Deployment {
  const { labels: _labels, ...metadata } = statusMetadata(next.metadata, previous.metadata);
  const { labels } = previous.metadata;
  return {
    ...next,
    metadata: labels === undefined ? metadata : { ...metadata, labels },
    spec: previous.spec,
  };
}

function validateSpec(spec: DeploymentSpec): FieldError[] {
  const { replicas, strategy, minReadySeconds, revisionHistoryLimit } = spec;
  const deadline = spec.progressDeadlineSeconds;
  const errors = [
    ...validateNonNegative('spec.replicas', replicas),
    ...validateSelectorAndTemplate(spec),
    ...validateStrategy(strategy ?? {}),
    ...validateNonNegative('spec.minReadySeconds', minReadySeconds),
    ...validateNonNegative('spec.revisionHistoryLimit', revisionHistoryLimit),
    ...validateNonNegative('spec.progressDeadlineSeconds', deadline),
  ];
  if (deadline !== undefined && deadline <= (minReadySeconds ?? 0)) {
    errors.push(
      fieldInvalid(
        'spec.progressDeadlineSeconds',
        deadline,
        'must be greater than minReadySeconds',
      ),
    );
  }
  return errors;
}

function validateStrategy({ type, rollingUpdate }: DeploymentStrategy): FieldError[] {
  const path = 'spec.strategy';
  if (type === 'Recreate') {
    if (rollingUpdate === undefined) return [];
    return [
      fieldForbidden(
        `${path}.rollingUpdate`,
        "may not be specified when strategy `type` is 'Recreate'",
      ),
    ];
  }
  if (type === 'RollingUpdate') {
    return rollingUpdate === undefined
      ? [fieldRequired(`${path}.rollingUpdate`, 'this should be defaulted and never be nil')]
      : validateRollingUpdate(rollingUpdate, `${path}.rollingUpdate`);
  }
  const shown = `apps.DeploymentStrategy{Type:${goQuote(type ?? '')}, RollingUpdate:(*apps.RollingUpdateDeployment)(nil)}`;
  return [fieldNotSupported(path, { goSyntax: shown }, ['Recreate', 'RollingUpdate'])];
}

function validateRollingUpdate(rolling: RollingUpdateDeployment, path: string): FieldError[] {
  const { maxUnavailable = 0, maxSurge = 0 } = rolling;
  const errors = [
    ...validateIntOrPercent(maxUnavailable, `${path}.maxUnavailable`),
    ...validateIntOrPercent(maxSurge, `${path}.maxSurge`),
  ];
  const shown = { goSyntax: goIntOrString(maxUnavailable) };
  if (amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0) {
    errors.push(fieldInvalid(`${path}.maxUnavailable`, shown, 'may not be 0 when `maxSurge` is 0'));
  }
  if ((percentOf(maxUnavailable) ?? 0) > 100) {
    errors.push(fieldInvalid(`${path}.maxUnavailable`, shown, 'must not be greater than 100%'));
  }
  return errors;
}

function validateIntOrPercent(value: IntOrString, path: string): FieldError[] {
  if (typeof value === 'number') return validateNonNegative(path, value);
  return fieldInvalidEach(path, { goSyntax: goIntOrString(value) }, checkPercent(value));
}

function amountOf(value: IntOrString): number {
  return typeof value === 'number' ? value : (percentOf(value) ?? Number.parseInt(value, 10));
}

function validateStatusUpdate(next: Deployment, previous: Deployment): FieldError[] {
  const ofReplicas = 'cannot be greater than status.replicas';
  const errors = [
    ...validateObjectMetaUpdate(next.metadata, previous.metadata),
    ...validateReplicaCounts(
      next.status ?? {},
      [
        'observedGeneration',
        'replicas',
        'updatedReplicas',
        'readyReplicas',
        'availableReplicas',
        'unavailableReplicas',
        'terminatingReplicas',
        'collisionCount',
      ],
      [
        { field: 'updatedReplicas', atMost: 'replicas', rule: ofReplicas },
        { field: 'readyReplicas', atMost: 'replicas', rule: ofReplicas },
        { field: 'availableReplicas', atMost: 'replicas', rule: ofReplicas },
        {
          field: 'availableReplicas',
          atMost: 'readyReplicas',
          rule: 'cannot be greater than readyReplicas',
        },
      ],
    ),
  ];
  const collisions = next.status?.collisionCount ?? 0;
  if (collisions < (previous.status?.collisionCount ?? 0)) {
    errors.push(fieldInvalid('status.collisionCount', collisions, 'cannot be decremented'));
  }
  return errors;
}
