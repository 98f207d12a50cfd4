import { carriedMetadata, newMetadata } from '../meta/carried-metadata.ts';
import type { FieldError } from '../meta/field-error.ts';
import { nameIsDnsSubdomain } from '../meta/names.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../meta/object-meta.ts';
import type { ServiceAccount } from '../schema/kubernetes-types.ts';
import { ageColumn, column, nameColumn } from './columns.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';

/** The account that every namespace has, and every pod that names no other. */
export const DEFAULT_ACCOUNT = 'default';

const ENFORCE_ANNOTATION = 'kubernetes.io/enforce-mountable-secrets';

export const SERVICE_ACCOUNTS: ResourceKind<ServiceAccount> = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  categories: [],
  namespaced: true,
  verbs: ALL_VERBS,
  subresources: [],
  isVolatile: () => false,
  strategy: {
    prepareForCreate: (account) => ({
      ...withSecretNames(account),
      metadata: newMetadata(account.metadata),
    }),
    default: (account) => account,
    validate,
    prepareForUpdate: (next, previous) => ({
      ...withSecretNames(next),
      metadata: carriedMetadata(next.metadata, previous.metadata),
    }),
    validateUpdate: (next, previous) => [
      ...validateObjectMetaUpdate(next.metadata, previous.metadata),
      ...validate(next),
    ],
    warnings,
  },
  columns: [
    nameColumn(),
    column('Secrets', 'integer', 'Number of secrets.', ({ secrets }) => secrets?.length ?? 0),
    ageColumn(),
  ],
  selectableFields: {},
};

/** Of a reference to a Secret only the name is kept, as on Kubernetes. */
function withSecretNames(account: ServiceAccount): ServiceAccount {
  if (account.secrets === undefined) return account;
  return { ...account, secrets: account.secrets.map(({ name }) => (name ? { name } : {})) };
}

function validate({ metadata }: ServiceAccount): FieldError[] {
  return validateObjectMeta(metadata, true, nameIsDnsSubdomain);
}

function warnings({ metadata }: ServiceAccount): string[] {
  if (metadata.annotations?.[ENFORCE_ANNOTATION] === undefined) return [];
  return [
    `metadata.annotations[${ENFORCE_ANNOTATION}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
  ];
}
