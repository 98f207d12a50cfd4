import { ApiError, badRequest } from '../../../shared/errors.ts';
import type { JsonValue } from '../../../shared/meta/kube-object.ts';

/** 422 for a patch that is well formed and does not apply to this object. Kubernetes tells nobody why; the cause is for the log. */
export function doesNotApply(why: string): ApiError {
  const message = 'the server rejected our request due to an error in our request';
  const error = new ApiError('Invalid', message, {});
  error.cause = why;
  return error;
}

/** 400 for a patch that is not of the form it should have. */
export function malformed(value: JsonValue, goType: string): ApiError {
  return badRequest(`json: cannot unmarshal ${kindOf(value)} into Go value of type ${goType}`);
}

/** A value as Go's `%v` prints it, the way values stand in Kubernetes' messages: `map[image:nginx name:web]`. */
export function printGoValue(value: JsonValue): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(printGoValue).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const entries = Object.keys(value)
    .sort()
    .map((key) => `${key}:${printGoValue(value[key] ?? null)}`);
  return `map[${entries.join(' ')}]`;
}

function kindOf(value: JsonValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
