import { carriedMetadata, newMetadata, statusMetadata } from '../meta/carried-metadata.ts';
import { type FieldError, fieldInvalid, fieldInvalidEach } from '../meta/field-error.ts';
import { checkQualifiedName, nameIsDnsLabel } from '../meta/names.ts';
import {
  validateKubeFinalizer,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../meta/object-meta.ts';
import type { Namespace } from '../schema/kubernetes-types.ts';
import { ageColumn, column, nameColumn } from './columns.ts';
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
    prepareForCreate,
    default: defaultNamespace,
    validate,
    prepareForUpdate: (next, previous) => ({
      ...next,
      metadata: carriedMetadata(next.metadata, previous.metadata),
      spec: { ...next.spec, ...previous.spec },
      status: previous.status,
    }),
    validateUpdate: (next, previous) => [
      ...validate(next),
      ...validateObjectMetaUpdate(next.metadata, previous.metadata),
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
    column('Status', 'string', 'The status of the namespace', ({ status }) => status?.phase ?? ''),
    ageColumn(),
  ],
  selectableFields: {
    'status.phase': ({ status }) => status?.phase ?? '',
  },
};

/** The finalizer `kubernetes` keeps a namespace until its contents are removed. */
function prepareForCreate(namespace: Namespace): Namespace {
  const finalizers = namespace.spec?.finalizers ?? [];
  return {
    ...namespace,
    metadata: newMetadata(namespace.metadata),
    spec: {
      ...namespace.spec,
      finalizers: finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes'],
    },
    status: { phase: 'Active' },
  };
}

function defaultNamespace(namespace: Namespace): Namespace {
  const { metadata } = namespace;
  const labels = metadata.name
    ? { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name }
    : metadata.labels;
  return {
    ...namespace,
    metadata: labels === undefined ? metadata : { ...metadata, labels },
    spec: namespace.spec ?? {},
    status: { ...namespace.status, phase: namespace.status?.phase || 'Active' },
  };
}

function validate(namespace: Namespace): FieldError[] {
  const path = 'spec.finalizers';
  return [
    ...validateObjectMeta(namespace.metadata, false, nameIsDnsLabel),
    ...(namespace.spec?.finalizers ?? []).flatMap((finalizer) => [
      ...fieldInvalidEach(path, finalizer, checkQualifiedName(finalizer)),
      ...validateKubeFinalizer(finalizer, path),
    ]),
  ];
}

function validateStatusUpdate(next: Namespace, previous: Namespace): FieldError[] {
  const errors = validateObjectMetaUpdate(next.metadata, previous.metadata);
  const [phase, condition] = next.metadata.deletionTimestamp
    ? ['Terminating', 'is not empty']
    : ['Active', 'is empty'];
  if (next.status.phase !== phase) {
    errors.push(
      fieldInvalid(
        'status.Phase',
        next.status.phase ?? '',
        `may only be '${phase}' if \`deletionTimestamp\` ${condition}`,
      ),
    );
  }
  return errors;
}
