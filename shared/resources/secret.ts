import { carriedMetadata, newMetadata } from '../meta/carried-metadata.ts';
import {
  type FieldError,
  fieldInvalid,
  fieldInvalidEach,
  fieldRequired,
  fieldTooLong,
} from '../meta/field-error.ts';
import { checkConfigMapKey, nameIsDnsSubdomain } from '../meta/names.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../meta/object-meta.ts';
import type { Secret } from '../schema/kubernetes-types.ts';
import { base64ByteLength, decodeBase64, encodeBase64, MAX_DATA_BYTES } from './base64.ts';
import { ageColumn, column, nameColumn } from './columns.ts';
import { validateImmutableData } from './config-map.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';

export const SECRETS: ResourceKind<Secret> = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: ALL_VERBS,
  subresources: [],
  isVolatile: () => false,
  strategy: {
    prepareForCreate: (secret) => ({ ...secret, metadata: newMetadata(secret.metadata) }),
    default: defaultSecret,
    validate,
    prepareForUpdate: (next, previous) => ({
      ...next,
      metadata: carriedMetadata(next.metadata, previous.metadata),
      type: next.type || previous.type || 'Opaque',
    }),
    validateUpdate: (next, previous) => [
      ...validateObjectMetaUpdate(next.metadata, previous.metadata),
      ...validateSameType(next, previous),
      ...validateImmutableData(next, previous, ['data']),
      ...validate(next),
    ],
  },
  columns: [
    nameColumn(),
    column('Type', 'string', 'What the data is for.', ({ type }) => type ?? ''),
    column('Data', 'string', 'Number of keys.', ({ data }) => Object.keys(data ?? {}).length),
    ageColumn(),
  ],
  selectableFields: { type: ({ type }) => type ?? '' },
};

/** stringData is for writing only: it goes into data, over what is there. */
function defaultSecret(secret: Secret): Secret {
  const { stringData, ...rest } = secret;
  const complete: Secret = { ...rest, type: secret.type || 'Opaque' };
  if (!stringData) return complete;
  const encoded = Object.entries(stringData).map(([key, value]) => [key, encodeBase64(value)]);
  return { ...complete, data: { ...secret.data, ...Object.fromEntries(encoded) } };
}

function validateSameType(next: Secret, previous: Secret): FieldError[] {
  if (next.type === previous.type) return [];
  return [fieldInvalid('type', next.type ?? '', 'field is immutable')];
}

function validate(secret: Secret): FieldError[] {
  const errors = validateObjectMeta(secret.metadata, true, nameIsDnsSubdomain);
  let bytes = 0;
  for (const [key, value] of Object.entries(secret.data ?? {})) {
    errors.push(...fieldInvalidEach(`data[${key}]`, key, checkConfigMapKey(key)));
    bytes += base64ByteLength(value);
  }
  if (bytes > MAX_DATA_BYTES) errors.push(fieldTooLong('data', MAX_DATA_BYTES));
  return [...errors, ...validateByType(secret)];
}

/** The keys that a type promises (core validation, ValidateSecret). */
function validateByType({ type, data = {}, metadata }: Secret): FieldError[] {
  const required = (...keys: string[]): FieldError[] =>
    keys.filter((key) => !Object.hasOwn(data, key)).map((key) => fieldRequired(`data[${key}]`));
  switch (type) {
    case 'kubernetes.io/service-account-token': {
      const annotation = 'kubernetes.io/service-account.name';
      return metadata.annotations?.[annotation]
        ? []
        : [fieldRequired(`metadata.annotations[${annotation}]`)];
    }
    case 'kubernetes.io/dockercfg':
      return validateJson(data, '.dockercfg');
    case 'kubernetes.io/dockerconfigjson':
      return validateJson(data, '.dockerconfigjson');
    case 'kubernetes.io/basic-auth':
      return 'username' in data || 'password' in data ? [] : required('username', 'password');
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : [fieldRequired('data[ssh-privatekey]')];
    case 'kubernetes.io/tls':
      return required('tls.crt', 'tls.key');
    default:
      return [];
  }
}

function validateJson(data: Readonly<Record<string, string>>, key: string): FieldError[] {
  const path = `data[${key}]`;
  const encoded = data[key];
  if (encoded === undefined) return [fieldRequired(path)];
  const why = jsonObjectError(decodeBase64(encoded) ?? '');
  return why === undefined ? [] : [fieldInvalid(path, '<secret contents redacted>', why)];
}

/** What Go's decoder says of a text that is no JSON object, as closely as its commonest cases. */
function jsonObjectError(text: string): string | undefined {
  if (text.trim() === '') return 'unexpected end of JSON input';
  try {
    const value: unknown = JSON.parse(text);
    if (value === null || (typeof value === 'object' && !Array.isArray(value))) return undefined;
    const kind = Array.isArray(value)
      ? 'array'
      : value === true || value === false
        ? 'bool'
        : typeof value;
    return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
  } catch {
    const first = text.trim()[0] ?? '';
    return /[{["\d\-tfn]/.test(first)
      ? 'unexpected end of JSON input'
      : `invalid character '${first}' looking for beginning of value`;
  }
}
