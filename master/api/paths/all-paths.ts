import { ENROLMENT_PATHS } from '../../../shared/wire/enrolment.ts';
import type { Exchange } from '../exchange.ts';
import { PageNotFound } from '../output/page-not-found.ts';
import { methodNotAllowed, unknownResource } from '../routes.ts';
import { discoveryHandler } from './discovery.ts';
import { enrol, renew, respondCa } from './enrolment.ts';
import { healthHandler } from './health.ts';
import { respondOpenApi } from './openapi.ts';
import { respondVersion } from './version.ts';

type PathHandler = (exchange: Exchange) => Promise<void> | void;

/** Answers what is no resource. Throws NotFound, MethodNotAllowed. */
export async function servePath(exchange: Exchange, path: string): Promise<void> {
  const { method = 'GET' } = exchange.req;
  const write = POST_PATHS[path];
  const read = readHandler(path);
  if (write === undefined && read === undefined)
    throw isSkerryPath(path) ? unknownResource() : new PageNotFound();
  const handler = method === 'POST' ? write : isRead(method) ? read : undefined;
  if (handler === undefined) throw methodNotAllowed();
  await handler(exchange);
}

const POST_PATHS: Readonly<Record<string, PathHandler>> = {
  [ENROLMENT_PATHS.enrol]: enrol,
  [ENROLMENT_PATHS.renew]: renew,
};

function readHandler(path: string): PathHandler | undefined {
  const bare = path === '/' ? path : path.replace(/\/$/, '');
  if (bare === '/version') return respondVersion;
  if (bare === ENROLMENT_PATHS.ca) return respondCa;
  if (bare.startsWith('/openapi/')) return (exchange) => respondOpenApi(exchange, bare);
  return healthHandler(bare) ?? discoveryHandler(bare);
}

function isSkerryPath(path: string): boolean {
  return path.startsWith('/skerry/');
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}
