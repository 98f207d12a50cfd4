import { type FieldError, fieldInvalid } from '../meta/field-error.ts';

/** A path within a volume: relative, without `..`. */
export function validateRelativePath(target: string, path: string): FieldError[] {
  const errors = validateNoBackSteps(target, path);
  if (target.startsWith('/')) errors.unshift(fieldInvalid(path, target, 'must be a relative path'));
  return errors;
}

/** A file that a volume creates: also not one of the `..` names that atomic updates use. */
export function validateVolumeFilePath(target: string, path: string): FieldError[] {
  const errors = validateRelativePath(target, path);
  if (target.startsWith('..') && !target.startsWith('../')) {
    errors.push(fieldInvalid(path, target, "must not start with '..'"));
  }
  return errors;
}

export function validateNoBackSteps(target: string, path: string): FieldError[] {
  return target.split('/').includes('..')
    ? [fieldInvalid(path, target, "must not contain '..'")]
    : [];
}

export function validateFileMode(mode: number | undefined, path: string): FieldError[] {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return [];
  return [fieldInvalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive')];
}
