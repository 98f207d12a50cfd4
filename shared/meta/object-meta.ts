import type { ObjectMeta, OwnerReference } from '../schema/kubernetes-types.ts';
import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldRequired,
  fieldTooLong,
  goQuote,
  goStringSlice,
} from './field-error.ts';
import {
  byteLength,
  checkLabelValue,
  checkQualifiedName,
  type NameCheck,
  nameIsDnsLabel,
} from './names.ts';
import { groupOf } from './owner-reference.ts';

const ANNOTATIONS_MAX_BYTES = 256 * 1024;
const STANDARD_FINALIZERS = ['kubernetes', 'orphan', 'foregroundDeletion'];

/** Validation of metadata at creation (apimachinery ValidateObjectMeta with the finalizer rule of the core kinds). */
export function validateObjectMeta(
  metadata: ObjectMeta,
  isNamespaced: boolean,
  nameCheck: NameCheck,
): FieldError[] {
  const path = 'metadata';
  const errors: FieldError[] = [];
  if (metadata.generateName) {
    for (const message of nameCheck(metadata.generateName, true)) {
      errors.push(fieldInvalid(`${path}.generateName`, metadata.generateName, message));
    }
  }
  if (!metadata.name) {
    errors.push(fieldRequired(`${path}.name`, 'name or generateName is required'));
  } else {
    for (const message of nameCheck(metadata.name)) {
      errors.push(fieldInvalid(`${path}.name`, metadata.name, message));
    }
  }
  errors.push(...validateNamespaceField(metadata.namespace, isNamespaced, `${path}.namespace`));
  if ((metadata.generation ?? 0) < 0) {
    errors.push(
      fieldInvalid(`${path}.generation`, metadata.generation, 'must be greater than or equal to 0'),
    );
  }
  errors.push(...validateLabels(metadata.labels, `${path}.labels`));
  errors.push(...validateAnnotations(metadata.annotations, `${path}.annotations`));
  errors.push(...validateOwnerReferences(metadata.ownerReferences, `${path}.ownerReferences`));
  errors.push(...validateFinalizers(metadata.finalizers, `${path}.finalizers`));
  return errors;
}

/** Validation of metadata at an update: what identifies an object never changes. */
export function validateObjectMetaUpdate(next: ObjectMeta, previous: ObjectMeta): FieldError[] {
  const path = 'metadata';
  const errors: FieldError[] = [];
  if (previous.deletionTimestamp) {
    const added = (next.finalizers ?? []).filter(
      (finalizer) => !previous.finalizers?.includes(finalizer),
    );
    if (added.length > 0) {
      const list = goStringSlice([...new Set(added)].sort());
      errors.push(
        fieldForbidden(
          `${path}.finalizers`,
          `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`,
        ),
      );
    }
  }
  if ((next.generation ?? 0) < (previous.generation ?? 0)) {
    errors.push(
      fieldInvalid(`${path}.generation`, next.generation ?? 0, 'must not be decremented'),
    );
  }
  for (const key of IMMUTABLE_META) {
    const value = next[key];
    if ((value ?? '') !== (previous[key] ?? '')) {
      errors.push(fieldInvalid(`${path}.${key}`, value, 'field is immutable'));
    }
  }
  errors.push(...validateLabels(next.labels, `${path}.labels`));
  errors.push(...validateAnnotations(next.annotations, `${path}.annotations`));
  errors.push(...validateOwnerReferences(next.ownerReferences, `${path}.ownerReferences`));
  for (const [index, finalizer] of (next.finalizers ?? []).entries()) {
    errors.push(...validateKubeFinalizer(finalizer, `${path}.finalizers[${index}]`));
  }
  return errors;
}

export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const key in labels) {
    errors.push(...validateLabelName(key, path));
    const value = labels[key] ?? '';
    for (const message of checkLabelValue(value)) errors.push(fieldInvalid(path, value, message));
  }
  return errors;
}

export function validateLabelName(name: string, path: string): FieldError[] {
  return checkQualifiedName(name).map((message) => fieldInvalid(path, name, message));
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const key in annotations) {
    for (const message of checkQualifiedName(key.toLowerCase())) {
      errors.push(fieldInvalid(path, key, message));
    }
    bytes += byteLength(key) + byteLength(annotations[key] ?? '');
  }
  if (bytes > ANNOTATIONS_MAX_BYTES) errors.push(fieldTooLong(path, ANNOTATIONS_MAX_BYTES));
  return errors;
}

/** A finalizer must be qualified with a domain, except for the few of Kubernetes itself. */
export function validateKubeFinalizer(finalizer: string, path: string): FieldError[] {
  if (finalizer.includes('/') || STANDARD_FINALIZERS.includes(finalizer)) return [];
  return [
    fieldInvalid(
      path,
      finalizer,
      'name is neither a standard finalizer name nor is it fully qualified',
    ),
  ];
}

const IMMUTABLE_META = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

function validateNamespaceField(
  namespace: string | undefined,
  isNamespaced: boolean,
  path: string,
): FieldError[] {
  if (!isNamespaced) return namespace ? [fieldForbidden(path, 'not allowed on this type')] : [];
  if (!namespace) return [fieldRequired(path)];
  return nameIsDnsLabel(namespace).map((message) => fieldInvalid(path, namespace, message));
}

function validateOwnerReferences(
  references: readonly OwnerReference[] | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let controller = '';
  for (const reference of references ?? []) {
    errors.push(...validateOwnerReference(reference, path));
    if (reference.controller !== true) continue;
    const name = `${reference.kind}/${reference.name}`;
    if (controller === '') {
      controller = name;
      continue;
    }
    errors.push(
      fieldInvalid(
        path,
        { goSyntax: `[]v1.OwnerReference{${(references ?? []).map(goOwnerReference).join(', ')}}` },
        `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`,
      ),
    );
  }
  return errors;
}

function validateOwnerReference(reference: OwnerReference, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { apiVersion, kind, name, uid } = reference;
  if (!apiVersion || apiVersion.endsWith('/')) {
    errors.push(fieldInvalid(`${path}.apiVersion`, apiVersion ?? '', 'version must not be empty'));
  }
  if (!kind) errors.push(fieldInvalid(`${path}.kind`, kind ?? '', 'kind must not be empty'));
  if (!name) errors.push(fieldInvalid(`${path}.name`, name ?? '', 'name must not be empty'));
  if (!uid) errors.push(fieldInvalid(`${path}.uid`, uid ?? '', 'uid must not be empty'));
  if (kind === 'Event' && apiVersion === 'v1' && groupOf(apiVersion) === '') {
    errors.push(
      fieldInvalid(
        path,
        { goSyntax: goOwnerReference(reference) },
        '/v1, Kind=Event is disallowed from being an owner',
      ),
    );
  }
  return errors;
}

function goOwnerReference(reference: OwnerReference): string {
  const { apiVersion, kind, name, uid } = reference;
  const pointer = (flag: boolean | undefined): string =>
    flag === undefined ? '(*bool)(nil)' : `(*bool)(${flag})`;
  return (
    `v1.OwnerReference{APIVersion:${goQuote(apiVersion)}, Kind:${goQuote(kind)}, Name:${goQuote(name)}, ` +
    `UID:${goQuote(uid)}, Controller:${pointer(reference.controller)}, ` +
    `BlockOwnerDeletion:${pointer(reference.blockOwnerDeletion)}}`
  );
}

function validateFinalizers(finalizers: readonly string[] | undefined, path: string): FieldError[] {
  const list = finalizers ?? [];
  const errors = list.flatMap((finalizer) =>
    checkQualifiedName(finalizer).map((message) => fieldInvalid(path, finalizer, message)),
  );
  if (list.includes('orphan') && list.includes('foregroundDeletion')) {
    errors.push(
      fieldInvalid(
        path,
        { goSyntax: goStringSlice(list) },
        'finalizer orphan and foregroundDeletion cannot be both set',
      ),
    );
  }
  for (const [index, finalizer] of list.entries()) {
    errors.push(...validateKubeFinalizer(finalizer, `${path}[${index}]`));
  }
  return errors;
}
