import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

export interface User {
  name: string;
  groups: readonly string[];
}

/**
 * The user of a client certificate that the TLS layer has verified against the cluster's CA: CN is the name, each O a group
 * (kubernetes.io/docs/reference/access-authn-authz/authentication, X.509 client certificates). Undefined without one.
 */
export function authenticate(connection: Socket): User | undefined {
  const socket = connection as Partial<TLSSocket>;
  if (socket.authorized !== true || socket.getPeerCertificate === undefined) return undefined;
  const subject = socket.getPeerCertificate().subject as
    | { CN?: string | string[]; O?: string | string[] }
    | undefined;
  const name = [subject?.CN ?? []].flat()[0];
  if (name === undefined || name === '') return undefined;
  return { name, groups: [...[subject?.O ?? []].flat(), 'system:authenticated'] };
}
