import type { FieldError } from './meta/field-error.ts';

/**
 * Every error that a client can see, in one table: the reason as in Kubernetes' metav1.StatusReason, its HTTP status, and whether
 * trying again without a change may help.
 */
export const ERROR_REASONS = {
  BadRequest: { code: 400, temporary: false },
  Unauthorized: { code: 401, temporary: false },
  Forbidden: { code: 403, temporary: false },
  NotFound: { code: 404, temporary: false },
  MethodNotAllowed: { code: 405, temporary: false },
  NotAcceptable: { code: 406, temporary: false },
  AlreadyExists: { code: 409, temporary: false },
  Conflict: { code: 409, temporary: true },
  Gone: { code: 410, temporary: false },
  Expired: { code: 410, temporary: false },
  RequestEntityTooLarge: { code: 413, temporary: false },
  UnsupportedMediaType: { code: 415, temporary: false },
  Invalid: { code: 422, temporary: false },
  TooManyRequests: { code: 429, temporary: true },
  InternalError: { code: 500, temporary: true },
  ServiceUnavailable: { code: 503, temporary: true },
  Timeout: { code: 504, temporary: true },
} as const;

export type ErrorReason = keyof typeof ERROR_REASONS;

export interface ErrorDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: { reason?: string; message?: string; field?: string }[];
  retryAfterSeconds?: number;
}

/** An error with a metav1.Status behind it; api/output/status.ts turns it into the response. */
export class ApiError extends Error {
  readonly reason: ErrorReason;
  readonly details: ErrorDetails | undefined;

  constructor(reason: ErrorReason, message: string, details?: ErrorDetails) {
    super(message);
    this.name = 'ApiError';
    this.reason = reason;
    this.details = details;
  }

  get code(): number {
    return ERROR_REASONS[this.reason].code;
  }

  get temporary(): boolean {
    return ERROR_REASONS[this.reason].temporary;
  }
}

type ResourceName = { group: string; plural: string };
type KindName = { group: string; kind: string };

function resourceLabel({ group, plural }: ResourceName): string {
  return group === '' ? plural : `${plural}.${group}`;
}

function detailsOf({ group, plural }: ResourceName, name: string): ErrorDetails {
  return named({ name, group, kind: plural });
}

/** What is empty is left out, as Go's omitempty does. */
function named(details: { name: string; group: string; kind: string }): ErrorDetails {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== ''));
}

export function notFound(resource: ResourceName, name: string): ApiError {
  return new ApiError(
    'NotFound',
    `${resourceLabel(resource)} "${name}" not found`,
    detailsOf(resource, name),
  );
}

export function alreadyExists(resource: ResourceName, name: string): ApiError {
  return new ApiError(
    'AlreadyExists',
    `${resourceLabel(resource)} "${name}" already exists`,
    detailsOf(resource, name),
  );
}

export function conflict(resource: ResourceName, name: string, why: string): ApiError {
  return new ApiError(
    'Conflict',
    `Operation cannot be fulfilled on ${resourceLabel(resource)} "${name}": ${why}`,
    detailsOf(resource, name),
  );
}

/** The conflict of an update whose resourceVersion is not the stored one. */
export function modifiedMeanwhile(resource: ResourceName, name: string): ApiError {
  return conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );
}

export function forbidden(resource: ResourceName, name: string, why: string): ApiError {
  const subject = name === '' ? resourceLabel(resource) : `${resourceLabel(resource)} "${name}"`;
  return new ApiError('Forbidden', `${subject} is forbidden: ${why}`, detailsOf(resource, name));
}

/** 422 with one cause per field error, worded as apimachinery's NewInvalid. */
export function invalid(kind: KindName, name: string, errors: readonly FieldError[]): ApiError {
  const label = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const messages = [...new Set(errors.map((error) => `${error.field}: ${error.message}`))];
  const list = messages.length === 1 ? messages[0] : `[${messages.join(', ')}]`;
  return new ApiError('Invalid', `${label} "${name}" is invalid: ${list}`, {
    ...named({ name, group: kind.group, kind: kind.kind }),
    causes: errors.map(({ type, field, message }) => ({ reason: type, message, field })),
  });
}

/** 500 with its cause, as apimachinery's NewInternalError: something that a client may try again. */
export function internalError(why: string): ApiError {
  return new ApiError('InternalError', `Internal error occurred: ${why}`, {
    causes: [{ message: why }],
  });
}

export function badRequest(message: string): ApiError {
  return new ApiError('BadRequest', message);
}

/** 410 for a resourceVersion (or continue token) that the history no longer reaches. */
export function expired(message: string): ApiError {
  return new ApiError('Expired', message);
}
