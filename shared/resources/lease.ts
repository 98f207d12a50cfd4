import { carriedMetadata, newMetadata } from '../meta/carried-metadata.ts';
import { type FieldError, fieldInvalid } from '../meta/field-error.ts';
import { nameIsDnsSubdomain } from '../meta/names.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../meta/object-meta.ts';
import type { Lease, LeaseSpec } from '../schema/kubernetes-types.ts';
import { ageColumn, column, nameColumn } from './columns.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';

/** The heartbeats of nodes; other Leases elect leaders and are kept on disk. */
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
  isVolatile: ({ namespace }) => namespace === 'kube-node-lease',
  strategy: {
    prepareForCreate: (lease) => ({
      ...withoutCoordination(lease),
      metadata: newMetadata(lease.metadata),
    }),
    default: (lease) => (lease.spec ? lease : { ...lease, spec: {} }),
    validate: (lease) => [
      ...validateObjectMeta(lease.metadata, true, nameIsDnsSubdomain),
      ...validateSpec(lease.spec),
    ],
    prepareForUpdate: (next, previous) => ({
      ...withoutCoordination(next),
      metadata: carriedMetadata(next.metadata, previous.metadata),
    }),
    validateUpdate: (next, previous) => [
      ...validateObjectMetaUpdate(next.metadata, previous.metadata),
      ...validateSpec(next.spec),
    ],
  },
  columns: [
    nameColumn(),
    column('Holder', 'string', 'Who holds the lease.', ({ spec }) => spec?.holderIdentity ?? ''),
    ageColumn(),
  ],
  selectableFields: {},
};

/** The fields of coordinated leader election are dropped while that is off (KEP-4355), as on Kubernetes. */
function withoutCoordination(lease: Lease): Lease {
  if (!lease.spec) return lease;
  const { strategy: _strategy, preferredHolder: _holder, ...spec } = lease.spec;
  return { ...lease, spec };
}

function validateSpec(spec: LeaseSpec): FieldError[] {
  const errors: FieldError[] = [];
  const { leaseDurationSeconds: duration, leaseTransitions: transitions } = spec;
  if (duration !== undefined && duration <= 0) {
    errors.push(fieldInvalid('spec.leaseDurationSeconds', duration, 'must be greater than 0'));
  }
  if (transitions !== undefined && transitions < 0) {
    errors.push(
      fieldInvalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'),
    );
  }
  return errors;
}
