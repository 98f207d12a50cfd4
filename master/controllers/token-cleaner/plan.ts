import type { Secret } from '../../../shared/schema/kubernetes-types.ts';
import { JOIN_TOKEN_KEYS, joinTokenEndMs } from '../../../shared/wire/join-token.ts';

/** A token that joins devices says for so long that it has ended, and when: a card is often written days before it is used. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * When a token's Secret is to go, in ms: a bootstrap token of Kubernetes at its end, one of ours (which counts its uses) a week later.
 * Undefined: it is no token, or one without an end.
 */
export function tokenRemovalMs(secret: Secret): number | undefined {
  const endMs = joinTokenEndMs(secret);
  const isOurs = secret.data?.[JOIN_TOKEN_KEYS.uses] !== undefined;
  return endMs === undefined || !isOurs ? endMs : endMs + KEPT_MS;
}
