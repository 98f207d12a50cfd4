import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

export interface User {
  name: string;
  groups: readonly string[];
}

const users = new WeakMap<object, User>();

/**
 * The user of a client certificate that the TLS layer has verified against the cluster's CA: CN is the name, each O a group
 * (kubernetes.io/docs/reference/access-authn-authz/authentication, X.509 client certificates). Undefined without one.
 */
export function authenticate(req: IncomingMessage): User | undefined {
  const socket = req.socket as Partial<TLSSocket>;
  if (socket.authorized !== true || socket.getPeerCertificate === undefined) return undefined;
  const known = users.get(socket);
  if (known !== undefined) return known;
  const subject = socket.getPeerCertificate().subject as
    | { CN?: string | string[]; O?: string | string[] }
    | undefined;
  const name = [subject?.CN ?? []].flat()[0];
  if (name === undefined || name === '') return undefined;
  const user = { name, groups: [...[subject?.O ?? []].flat(), 'system:authenticated'] };
  users.set(socket, user);
  return user;
}
