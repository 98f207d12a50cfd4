import type { ServerResponse } from 'node:http';
import { ApiError } from '../../../shared/errors.ts';
import type { Exchange } from '../exchange.ts';
import { isTrue } from '../query/flag.ts';
import { PageNotFound } from './page-not-found.ts';
import { failureStatus } from './status.ts';

/** Answers with a JSON value; `?pretty` indents it. */
export function respondJson(exchange: Exchange, code: number, value: unknown): void {
  const indent = isTrue(exchange.query.get('pretty')) ? 2 : undefined;
  respondBytes(exchange, code, Buffer.from(`${JSON.stringify(value, null, indent)}\n`));
}

/** Answers with bytes that are JSON already. */
export function respondBytes(
  { req, res }: Exchange,
  code: number,
  bytes: Buffer,
  contentType = 'application/json',
): void {
  res.writeHead(code, {
    'Content-Type': contentType,
    'Content-Length': bytes.byteLength,
    'Cache-Control': 'no-cache, private',
  });
  res.end(req.method === 'HEAD' ? undefined : bytes);
}

export function respondText(exchange: Exchange, code: number, text: string): void {
  respondBytes(exchange, code, Buffer.from(text), 'text/plain; charset=utf-8');
}

/** Answers with the Status of an error; when the answer has begun already, all that is left is to cut it off. */
export function respondError(exchange: Pick<Exchange, 'req' | 'res'>, error: unknown): void {
  const { req, res } = exchange;
  if (res.headersSent) {
    res.destroy();
    return;
  }
  if (error instanceof PageNotFound) {
    respondPlain(res, 404, PageNotFound.TEXT);
    return;
  }
  const status = failureStatus(error);
  const bytes = Buffer.from(`${JSON.stringify(status)}\n`);
  const retryAfter = error instanceof ApiError ? error.details?.retryAfterSeconds : undefined;
  res.writeHead(status.code, {
    'Content-Type': 'application/json',
    'Content-Length': bytes.byteLength,
    'Cache-Control': 'no-cache, private',
    ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
  });
  res.end(req.method === 'HEAD' ? undefined : bytes);
}

function respondPlain(res: ServerResponse, code: number, text: string): void {
  res.writeHead(code, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-cache, private',
    'X-Content-Type-Options': 'nosniff',
  });
  res.end(res.req.method === 'HEAD' ? undefined : text);
}

/** Together the warnings of one answer stay below this; where they would not, each is cut, as on Kubernetes. */
const WARNINGS_LIMIT = 4096;
const CUT_WARNING_LENGTH = 256;

/** One `Warning: 299` header per text (RFC 9111 §5.5), as kubectl prints them in yellow. */
export function addWarnings(res: ServerResponse, warnings: readonly string[]): void {
  const distinct = [...new Set(warnings)];
  const total = distinct.reduce((sum, text) => sum + text.length, 0);
  let left = WARNINGS_LIMIT;
  for (const text of distinct) {
    const shown = total > WARNINGS_LIMIT ? text.slice(0, CUT_WARNING_LENGTH) : text;
    left -= shown.length;
    if (left < 0) return;
    res.appendHeader('Warning', `299 - "${quotable(shown)}"`);
  }
}

/** Without control characters; Node writes headers as Latin-1, so UTF-8 goes through it byte by byte. */
function quotable(text: string): string {
  const escaped = text.replace(/\p{Cc}/gu, ' ').replace(/[\\"]/g, (character) => `\\${character}`);
  return Buffer.from(escaped, 'utf8').toString('latin1');
}
