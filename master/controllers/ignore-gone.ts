import { ApiError } from '../../shared/errors.ts';

/** For `.catch`: what was to be changed is gone meanwhile, so nothing is left to do. Other errors go on. */
export function ignoreGone(error: unknown): undefined {
  if (error instanceof ApiError && error.reason === 'NotFound') return undefined;
  throw error;
}
