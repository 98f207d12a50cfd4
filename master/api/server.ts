import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError, badRequest } from '../../shared/errors.ts';
import { authenticate, authenticateExpired, type User } from './authenticate.ts';
import { authorize, isRenewal } from './authorize.ts';
import type { ApiParts, Exchange } from './exchange.ts';
import { PageNotFound } from './output/page-not-found.ts';
import { respondError } from './output/respond.ts';
import { EventLines } from './output/watch-printer.ts';
import { servePath } from './paths/all-paths.ts';
import { isDefinitionList, respondDefinitions } from './paths/resource-definitions.ts';
import { requestInfo } from './request-info.ts';
import { methodNotAllowed, routeOf } from './routes.ts';

/**
 * The Kubernetes API over the registry. Whoever owns the port hands it the requests of its TLS connections, and asks clients for
 * certificates without demanding them.
 * Invariant: a request ends with an answer or a closed connection, and no request ends the process.
 */
export class ApiServer {
  private readonly parts: ApiParts;
  private readonly eventLines = new EventLines();
  private readonly users = new WeakMap<Socket, User>();

  constructor(parts: ApiParts) {
    this.parts = parts;
  }

  /** Answers one request; never throws. */
  handle(req: IncomingMessage, res: ServerResponse): void {
    this.serve(req, res).catch((error: unknown) => {
      const isExpected = error instanceof ApiError || error instanceof PageNotFound;
      if (!isExpected && !res.destroyed) {
        this.parts.logger.error('a request failed in an unexpected way', {
          method: req.method,
          path: req.url?.split('?', 1)[0],
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      }
      respondError({ req, res }, error);
    });
  }

  /** A connection keeps its user; reading a certificate takes longer than many a request. */
  private userOf(socket: Socket): User | undefined {
    const known = this.users.get(socket);
    if (known !== undefined) return known;
    const user = authenticate(socket);
    if (user !== undefined) this.users.set(socket, user);
    return user;
  }

  /** Believed for this request alone. */
  private renewingUserOf(socket: Socket): User | undefined {
    return authenticateExpired(socket, (raw) => this.parts.enrolment.hasSigned(raw));
  }

  private async serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { path, query } = splitTarget(req.url ?? '/');
    if (!isServedMethod(req.method ?? 'GET', path)) throw methodNotAllowed();
    const info = requestInfo(req.method ?? 'GET', path, query);
    const user =
      this.userOf(req.socket) ?? (isRenewal(info) ? this.renewingUserOf(req.socket) : undefined);
    authorize(user, info);
    const exchange: Exchange = {
      req,
      res,
      query,
      user,
      parts: this.parts,
      eventLines: this.eventLines,
    };
    if (!info.isResource) {
      await servePath(exchange, info.path);
      return;
    }
    if (isDefinitionList(info)) {
      respondDefinitions(exchange);
      return;
    }
    const { kind, handler } = routeOf(this.parts.kinds, info);
    // The request for a namespace names it as the namespace too; as an object it lies in none.
    const located = kind.namespaced ? info : { ...info, namespace: '' };
    await handler({ ...exchange, info: located, kind });
  }
}

/** The API itself knows these methods only; health and documents may be asked for by HEAD, too. */
function isServedMethod(method: string, path: string): boolean {
  if (!/^\/(apis?|version)(\/|$)/.test(path)) return true;
  if (method === 'HEAD' && /^\/apis(\/[^/]+)?\/?$/.test(path)) return true;
  return ['DELETE', 'GET', 'PATCH', 'POST', 'PUT'].includes(method);
}

/** Not a URL: a path that begins with two slashes would name a host there. */
function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1));
  try {
    return { path: decodeURIComponent(path), query };
  } catch {
    throw badRequest('the path of the request is not valid');
  }
}
