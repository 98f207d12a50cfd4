import type { ErrorDetails } from '../../../shared/errors.ts';
import { ApiError } from '../../../shared/errors.ts';
import { ExpiredContinue } from '../query/expired-continue.ts';

/** metav1.Status, with its fields in the order in which Kubernetes prints them. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { continue?: string; remainingItemCount?: number; resourceVersion?: string };
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: ErrorDetails;
  code?: number;
}

/** The Status of a failed request; anything but an ApiError is a 500 that does not say what broke inside. */
export function failureStatus(error: unknown): Status & { code: number } {
  const known =
    error instanceof ApiError
      ? error
      : new ApiError('InternalError', 'Internal error occurred: an unexpected error', {
          causes: [{ message: 'an unexpected error' }],
        });
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: known instanceof ExpiredContinue ? { continue: known.continueToken } : {},
    status: 'Failure',
    message: known.message,
    ...(isPlain(known) ? {} : { reason: known.reason }),
    ...(known.details === undefined ? {} : { details: known.details }),
    code: known.code,
  };
}

/** Kubernetes names no reason for the errors that nothing wrapped as an internal one. */
function isPlain({ reason, message }: ApiError): boolean {
  return reason === 'InternalError' && !message.startsWith('Internal error occurred: ');
}

/** What a finished deletion answers: who it was, with its uid. */
export function successStatus(details: ErrorDetails): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}
