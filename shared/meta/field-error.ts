/**
 * One finding of a validation, in the words of Kubernetes' `field.Error` (apimachinery util/validation/field): `field` is the
 * path as users write it, `spec.containers[0].name`.
 */
export interface FieldError {
  type:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueDuplicate'
    | 'FieldValueNotSupported'
    | 'FieldValueForbidden'
    | 'FieldValueNotFound'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueTypeInvalid'
    | 'InternalError';
  field: string;
  /** The message without the field: `Required value: name is required`. */
  message: string;
}
