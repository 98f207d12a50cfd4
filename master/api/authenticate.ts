import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

export interface User {
  name: string;
  groups: readonly string[];
}

/** Of the TLS layer; Node.js reports it for expired certificates of strangers too. */
const EXPIRED = 'CERT_HAS_EXPIRED';

/**
 * The user of a client certificate that the TLS layer has verified against the cluster's CA: CN is the name, each O a group
 * (kubernetes.io/docs/reference/access-authn-authz/authentication, X.509 client certificates). Undefined without one.
 */
export function authenticate(connection: Socket): User | undefined {
  const socket = connection as Partial<TLSSocket>;
  if (socket.authorized !== true || socket.getPeerCertificate === undefined) return undefined;
  return userOf(socket.getPeerCertificate());
}

/**
 * The user of a client certificate that has expired and is otherwise good: a device that was off for long has no other to renew with.
 * `hasSigned` tells whether the cluster's CA made it, whatever its dates.
 */
export function authenticateExpired(
  connection: Socket,
  hasSigned: (certificate: Uint8Array) => boolean,
): User | undefined {
  const socket = connection as Partial<TLSSocket>;
  // A code, although its type says Error.
  if (String(socket.authorizationError) !== EXPIRED) return undefined;
  const peer = socket.getPeerCertificate?.();
  return peer?.raw !== undefined && hasSigned(peer.raw) ? userOf(peer) : undefined;
}

function userOf(peer: { subject: unknown }): User | undefined {
  const subject = peer.subject as { CN?: string | string[]; O?: string | string[] } | undefined;
  const name = [subject?.CN ?? []].flat()[0];
  if (name === undefined || name === '') return undefined;
  return { name, groups: [...[subject?.O ?? []].flat(), 'system:authenticated'] };
}
