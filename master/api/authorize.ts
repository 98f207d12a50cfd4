import { ApiError, forbidden } from '../../shared/errors.ts';
import { ENROLMENT_PATHS } from '../../shared/wire/enrolment.ts';
import type { User } from './authenticate.ts';
import type { RequestInfo } from './request-info.ts';

/** The paths that answer without a certificate; on Kubernetes system:public-info-viewer grants the first four to everybody. */
const OPEN_PATHS = new Set(['/healthz', '/livez', '/readyz', '/version', ENROLMENT_PATHS.ca]);

/** Whether a path answers without a client certificate. Enrolment checks its own bearer token. */
function isOpen(info: RequestInfo): boolean {
  const path = info.path.replace(/\/$/, '');
  if (info.isResource) return false;
  return OPEN_PATHS.has(path) || path === ENROLMENT_PATHS.enrol || /^\/(livez|readyz)\//.test(path);
}

/**
 * Until RBAC: system:masters may do everything, system:nodes may renew its certificate, others nothing.
 * Throws Unauthorized without a user, Forbidden in Kubernetes' words.
 */
export function authorize(user: User | undefined, info: RequestInfo): void {
  if (isOpen(info)) return;
  if (user === undefined) throw new ApiError('Unauthorized', 'Unauthorized');
  if (user.groups.includes('system:masters')) return;
  if (user.groups.includes('system:nodes') && isRenewal(info)) return;
  throw refusal(user, info);
}

/** Whether a request asks for nothing but a new certificate. */
export function isRenewal(info: RequestInfo): boolean {
  return !info.isResource && info.verb === 'post' && info.path === ENROLMENT_PATHS.renew;
}

function refusal(user: User, info: RequestInfo): ApiError {
  const who = `User ${JSON.stringify(user.name)} cannot ${info.verb}`;
  if (!info.isResource) {
    return new ApiError('Forbidden', `forbidden: ${who} path ${JSON.stringify(info.path)}`, {});
  }
  const resource = info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`;
  const scope =
    info.namespace === '' ? 'at the cluster scope' : `in the namespace "${info.namespace}"`;
  return forbidden(
    { group: info.group, plural: info.resource },
    info.name,
    `${who} resource "${resource}" in API group "${info.group}" ${scope}`,
  );
}
