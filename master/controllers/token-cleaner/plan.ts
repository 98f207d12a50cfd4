import { parseTime } from '../../../shared/meta/time.ts';
import type { Secret } from '../../../shared/schema/kubernetes-types.ts';
import { JOIN_TOKEN_KEYS, JOIN_TOKEN_SECRET_TYPE } from '../../../shared/wire/join-token.ts';

/**
 * When a token's Secret is to go, as a time of Kubernetes' in ms: at its expiration, also when it was used up before, so that it can say
 * so until then. Undefined: it is no token, or one without an end.
 */
export function tokenEndMs(secret: Secret): number | undefined {
  if (secret.type !== JOIN_TOKEN_SECRET_TYPE) return undefined;
  const expiration = secret.data?.[JOIN_TOKEN_KEYS.expiration];
  if (expiration === undefined) return undefined;
  // What is no time has passed: such a token is refused everywhere (k8s.io/cluster-bootstrap GetExpiration).
  return parseTime(textOf(expiration)) ?? Number.NEGATIVE_INFINITY;
}

function textOf(base64: string): string {
  try {
    return atob(base64);
  } catch {
    return '';
  }
}
