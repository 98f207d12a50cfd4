import { carriedMetadata, newMetadata } from '../meta/carried-metadata.ts';
import { semanticEqual } from '../meta/equality.ts';
import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldInvalidEach,
  fieldTooLong,
} from '../meta/field-error.ts';
import { byteLength, checkConfigMapKey, nameIsDnsSubdomain } from '../meta/names.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../meta/object-meta.ts';
import type { ConfigMap } from '../schema/kubernetes-types.ts';
import { base64ByteLength, MAX_DATA_BYTES } from './base64.ts';
import { ageColumn, column, nameColumn } from './columns.ts';
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
    prepareForCreate: (map) => ({ ...map, metadata: newMetadata(map.metadata) }),
    default: (map) => map,
    validate,
    prepareForUpdate: (next, previous) => ({
      ...next,
      metadata: carriedMetadata(next.metadata, previous.metadata),
    }),
    validateUpdate: (next, previous) => [
      ...validateObjectMetaUpdate(next.metadata, previous.metadata),
      ...validateImmutableData(next, previous, ['data', 'binaryData']),
      ...validate(next),
    ],
  },
  columns: [
    nameColumn(),
    column(
      'Data',
      'string',
      'Number of keys.',
      ({ data, binaryData }) =>
        Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    ),
    ageColumn(),
  ],
  selectableFields: {},
};

/** What `immutable: true` seals: the flag itself and the data. */
export function validateImmutableData<
  T extends { immutable?: boolean; data?: unknown; binaryData?: unknown },
>(next: T, previous: T, fields: readonly ('data' | 'binaryData')[]): FieldError[] {
  if (previous.immutable !== true) return [];
  const why = 'field is immutable when `immutable` is set';
  return [
    ...(next.immutable === true ? [] : [fieldForbidden('immutable', why)]),
    ...fields
      .filter((field) => !semanticEqual(next[field], previous[field]))
      .map((field) => fieldForbidden(field, why)),
  ];
}

function validate(map: ConfigMap): FieldError[] {
  const { data = {}, binaryData = {} } = map;
  const errors = validateObjectMeta(map.metadata, true, nameIsDnsSubdomain);
  let bytes = 0;
  for (const [key, value] of Object.entries(data)) {
    const path = `data[${key}]`;
    errors.push(...fieldInvalidEach(path, key, checkConfigMapKey(key)));
    if (Object.hasOwn(binaryData, key)) {
      errors.push(fieldInvalid(path, key, 'duplicate of key present in binaryData'));
    }
    bytes += byteLength(value);
  }
  for (const [key, value] of Object.entries(binaryData)) {
    errors.push(...fieldInvalidEach(`binaryData[${key}]`, key, checkConfigMapKey(key)));
    bytes += base64ByteLength(value);
  }
  if (bytes > MAX_DATA_BYTES) errors.push(fieldTooLong('', MAX_DATA_BYTES));
  return errors;
}
