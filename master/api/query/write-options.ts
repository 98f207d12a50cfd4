import { invalid } from '../../../shared/errors.ts';
import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldTooLong,
  goStringSlice,
} from '../../../shared/meta/field-error.ts';
import type { FieldValidation } from '../../../shared/schema/decode-json.ts';
import type { WriteOptions } from '../../store/registry.ts';

/** The query of a creation, an update or a patch (meta/v1 CreateOptions, UpdateOptions, PatchOptions), checked. */
export interface CheckedWriteOptions extends WriteOptions {
  dryRun: boolean;
  fieldValidation: FieldValidation;
}

/** Throws Invalid in the words of apimachinery's validation of the same options. */
export function writeOptions(
  query: URLSearchParams,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
): CheckedWriteOptions {
  const dryRun = query.getAll('dryRun');
  const fieldManager = query.get('fieldManager') ?? '';
  const fieldValidation = query.get('fieldValidation') ?? '';
  const errors = [
    ...forceErrors(query, kind),
    ...fieldManagerErrors(fieldManager),
    ...dryRunErrors(dryRun),
    ...fieldValidationErrors(fieldValidation),
  ];
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors);
  return {
    dryRun: dryRun.length > 0,
    fieldValidation: fieldValidation === '' ? 'Warn' : (fieldValidation as FieldValidation),
    ...(fieldManager === '' ? {} : { fieldManager }),
  };
}

/** Only `All` is a dry run. */
export function dryRunErrors(values: readonly string[]): FieldError[] {
  if (values.every((value) => value === 'All')) return [];
  return [fieldNotSupported('dryRun', { goSyntax: goStringSlice(values) }, ['All'])];
}

/** Only server-side apply may be forced. */
function forceErrors(query: URLSearchParams, kind: string): FieldError[] {
  if (kind !== 'PatchOptions' || !query.has('force')) return [];
  return [fieldForbidden('force', 'may not be specified for non-apply patch')];
}

function fieldManagerErrors(name: string): FieldError[] {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(name) > 128) errors.push(fieldTooLong('fieldManager', 128));
  for (const match of name.matchAll(/[\p{C}\p{Z}]/gu)) {
    if (match[0] === ' ') continue;
    const code = (match[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    const at = Buffer.byteLength(name.slice(0, match.index));
    const why = `invalid character U+${code} (at position ${at})`;
    errors.push(fieldInvalid('fieldManager', name, why));
  }
  return errors;
}

const FIELD_VALIDATIONS = ['', 'Ignore', 'Strict', 'Warn'];

function fieldValidationErrors(value: string): FieldError[] {
  if (FIELD_VALIDATIONS.includes(value)) return [];
  return [fieldNotSupported('fieldValidation', value, FIELD_VALIDATIONS)];
}
