import { parseTime } from '../meta/time.ts';
import type { Secret } from '../schema/kubernetes-types.ts';

/** Where tokens are kept, and as what (the bootstrap tokens of Kubernetes, whose id and secret have the same form). */
export const JOIN_TOKEN_NAMESPACE = 'kube-system';
export const JOIN_TOKEN_SECRET_TYPE = 'bootstrap.kubernetes.io/token';
const JOIN_TOKEN_ID_LENGTH = 6;
const JOIN_TOKEN_SECRET_LENGTH = 16;

/** The keys of a token's Secret; those that begin with skerry are our own. */
export const JOIN_TOKEN_KEYS = {
  id: 'token-id',
  secret: 'token-secret',
  expiration: 'expiration',
  authentication: 'usage-bootstrap-authentication',
  uses: 'skerry-uses',
  nodeName: 'skerry-node-name',
  /** 'true': the device may take the name's Node over from the one that has it. */
  adopts: 'skerry-adopts',
  /** Hashes of the last requests that took a use, one a line, with `kept` behind those that joined: the same one again takes no other. */
  requests: 'skerry-requests',
} as const;

/** `<id>.<secret>.<SHA-256 of the CA certificate's DER form, hex>`: proves the device to the master and the master to the device. */
export interface JoinToken {
  id: string;
  secret: string;
  caSha256: string;
}

const FORM = /^([a-z0-9]{6})\.([a-z0-9]{16})\.([0-9a-f]{64})$/;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Undefined when the text is no join token; surrounding white space is ignored. */
export function parseJoinToken(text: string): JoinToken | undefined {
  const [, id, secret, caSha256] = FORM.exec(text.trim()) ?? [];
  if (id === undefined || secret === undefined || caSha256 === undefined) return undefined;
  return { id, secret, caSha256 };
}

export function formatJoinToken({ id, secret, caSha256 }: JoinToken): string {
  return `${id}.${secret}.${caSha256}`;
}

/** A new id and secret. `randomBytes` answers that many random octets; those that would favour a letter are passed over. */
export function newJoinToken(
  randomBytes: (count: number) => Uint8Array,
  caSha256: string,
): JoinToken {
  return {
    id: randomWord(randomBytes, JOIN_TOKEN_ID_LENGTH),
    secret: randomWord(randomBytes, JOIN_TOKEN_SECRET_LENGTH),
    caSha256,
  };
}

export function joinTokenSecretName(id: string): string {
  return `bootstrap-token-${id}`;
}

/** What a token is good for. `expiration`: RFC 3339; `uses` absent: any number; `adopts`: see JOIN_TOKEN_KEYS, with a `nodeName`. */
export interface JoinTokenTerms {
  expiration: string;
  uses?: number;
  nodeName?: string;
  adopts?: boolean;
}

/** The Secret that makes the token valid. */
export function joinTokenSecret(token: JoinToken, terms: JoinTokenTerms): Secret {
  const data: Record<string, string> = {
    [JOIN_TOKEN_KEYS.id]: token.id,
    [JOIN_TOKEN_KEYS.secret]: token.secret,
    [JOIN_TOKEN_KEYS.expiration]: terms.expiration,
    [JOIN_TOKEN_KEYS.authentication]: 'true',
  };
  if (terms.uses !== undefined) data[JOIN_TOKEN_KEYS.uses] = String(terms.uses);
  if (terms.nodeName !== undefined) data[JOIN_TOKEN_KEYS.nodeName] = terms.nodeName;
  if (terms.adopts === true) data[JOIN_TOKEN_KEYS.adopts] = 'true';
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: joinTokenSecretName(token.id),
      namespace: JOIN_TOKEN_NAMESPACE,
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
    },
    type: JOIN_TOKEN_SECRET_TYPE,
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, btoa(value)])),
  };
}

/**
 * When a token ends, in ms; undefined: the Secret is no token, or one without an end. What is no time has passed: such a token is
 * refused everywhere (k8s.io/cluster-bootstrap GetExpiration).
 */
export function joinTokenEndMs(secret: Secret): number | undefined {
  if (secret.type !== JOIN_TOKEN_SECRET_TYPE) return undefined;
  const expiration = secret.data?.[JOIN_TOKEN_KEYS.expiration];
  if (expiration === undefined) return undefined;
  return parseTime(textOf(expiration)) ?? Number.NEGATIVE_INFINITY;
}

function textOf(base64: string): string {
  try {
    return atob(base64);
  } catch {
    return '';
  }
}

function randomWord(randomBytes: (count: number) => Uint8Array, length: number): string {
  const fair = ALPHABET.length * Math.floor(256 / ALPHABET.length);
  let word = '';
  while (word.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < fair && word.length < length) word += ALPHABET[byte % ALPHABET.length] ?? '';
    }
  }
  return word;
}
