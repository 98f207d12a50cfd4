import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Exchange } from '../exchange.ts';
import { unknownResource } from '../routes.ts';

/** GET /openapi/v2 and /openapi/v3/…: documents that lie compressed on disk. */
export async function respondOpenApi(exchange: Exchange, path: string): Promise<void> {
  const { req, res, parts } = exchange;
  const document = await parts.openApi.get(path, req.headers.accept ?? '');
  if (document === undefined) throw unknownResource();
  res.setHeader('ETag', document.etag);
  res.setHeader('Vary', 'Accept-Encoding, Accept');
  if (req.headers['if-none-match'] === document.etag) {
    res.writeHead(304);
    res.end();
    return;
  }
  const isGzip = /\bgzip\b/.test(String(req.headers['accept-encoding'] ?? ''));
  const bytes = isGzip ? document.gzipped : await promisify(gunzip)(document.gzipped);
  res.writeHead(200, {
    'Content-Type': document.contentType,
    'Content-Length': bytes.byteLength,
    ...(isGzip ? { 'Content-Encoding': 'gzip' } : {}),
  });
  res.end(req.method === 'HEAD' ? undefined : bytes);
}
