import { ApiError, badRequest, invalid } from '../../../shared/errors.ts';
import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  goQuote,
} from '../../../shared/meta/field-error.ts';
import type { ResourceKind } from '../../../shared/resources/resource-kind.ts';
import { isTrue } from './flag.ts';
import { integer } from './integer.ts';

/** The query of a list or a watch (meta/v1 ListOptions), checked. Selectors are in selection.ts. */
export interface ListOptions {
  /** 0: no limit. */
  limit: number;
  continueToken: string;
  /** Undefined: the newest. */
  resourceVersion: number | undefined;
  exact: boolean;
  allowBookmarks: boolean;
  sendInitialEvents: boolean | undefined;
  timeoutSeconds: number | undefined;
}

const LIST_OPTIONS = { group: 'meta.k8s.io', kind: 'ListOptions' };

/** Reads and checks ListOptions by the rules of apimachinery's ValidateListOptions. Throws Invalid, BadRequest. */
export function listOptions(
  query: URLSearchParams,
  kind: Pick<ResourceKind, 'group' | 'plural'>,
  watch: boolean,
): ListOptions {
  const errors = watch ? watchErrors(query) : listErrors(query);
  if (errors.length > 0) throw invalid(LIST_OPTIONS, '', errors);
  const continueToken = query.get('continue') ?? '';
  const version = query.get('resourceVersion') ?? '';
  if (!watch && continueToken !== '' && version !== '' && version !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  const limit = Math.max(0, integer(query, 'limit') ?? 0);
  const initial = query.get('sendInitialEvents');
  return {
    limit,
    continueToken,
    resourceVersion: resourceVersion({ group: kind.group, kind: kind.plural }, version),
    exact: isExact(query, limit, continueToken),
    allowBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: initial === null ? undefined : isTrue(initial),
    timeoutSeconds: integer(query, 'timeoutSeconds'),
  };
}

/**
 * The 504 of a resourceVersion that this server has not reached.
 * Kubernetes answers it after waiting three seconds; the only writer here is this server, so waiting would not help.
 */
export function tooLargeResourceVersion(wanted: number, current: number): ApiError {
  const message = `Too large resource version: ${wanted}, current: ${current}`;
  return new ApiError('Timeout', `Timeout: ${message}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

function resourceVersion(
  resource: { group: string; kind: string },
  text: string,
): number | undefined {
  if (text === '') return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const why = `strconv.ParseUint: parsing ${goQuote(text)}: invalid syntax`;
  throw invalid(resource, '', [fieldInvalid('resourceVersion', text, why)]);
}

/** Without a match a version with a limit means exactly that version: a corner that Kubernetes keeps for old clients. */
function isExact(query: URLSearchParams, limit: number, continueToken: string): boolean {
  const match = query.get('resourceVersionMatch') ?? '';
  const version = query.get('resourceVersion') ?? '';
  const isLegacy = match === '' && limit > 0 && continueToken === '' && version !== '0';
  return match === 'Exact' || isLegacy;
}

function listErrors(query: URLSearchParams): FieldError[] {
  const errors: FieldError[] = [];
  const match = query.get('resourceVersionMatch') ?? '';
  if (match !== '') {
    const version = query.get('resourceVersion') ?? '';
    if (version === '') {
      errors.push(
        matchForbidden('resourceVersionMatch is forbidden unless resourceVersion is provided'),
      );
    }
    if ((query.get('continue') ?? '') !== '') errors.push(CONTINUE_WITH_MATCH);
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      errors.push(fieldNotSupported(MATCH, match, ['Exact', 'NotOlderThan', '']));
    }
    if (match === 'Exact' && version === '0') {
      errors.push(
        matchForbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
      );
    }
  }
  if (query.has('sendInitialEvents')) {
    errors.push(fieldForbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  return errors;
}

function watchErrors(query: URLSearchParams): FieldError[] {
  const errors: FieldError[] = [];
  const match = query.get('resourceVersionMatch') ?? '';
  const initial = query.has('sendInitialEvents');
  if (initial && match !== 'NotOlderThan') {
    errors.push(
      matchForbidden('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
    );
  }
  if (match === '') return errors;
  if (!initial) {
    errors.push(
      matchForbidden(
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ),
    );
  }
  if (match !== 'NotOlderThan') errors.push(fieldNotSupported(MATCH, match, ['NotOlderThan']));
  if ((query.get('continue') ?? '') !== '') errors.push(CONTINUE_WITH_MATCH);
  return errors;
}

const MATCH = 'resourceVersionMatch';

function matchForbidden(why: string): FieldError {
  return fieldForbidden(MATCH, why);
}

const CONTINUE_WITH_MATCH = fieldForbidden(
  MATCH,
  'resourceVersionMatch is forbidden when continue is provided',
);
