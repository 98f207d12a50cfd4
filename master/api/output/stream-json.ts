import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import type { Exchange } from '../exchange.ts';
import { respondBytes } from './respond.ts';

/** How much is gathered before it is written: one turn of the event loop. */
const CHUNK_BYTES = 256 * 1024;

/** Bodies below this size are never compressed, as on Kubernetes (defaultGzipThresholdBytes). */
const GZIP_FROM_BYTES = 128 * 1024;

/**
 * Answers 200 with the pieces of one JSON document, made as they are needed. Short documents go out whole; long ones in chunks,
 * as fast as the client reads, with a turn of the event loop between two chunks, compressed when the client accepts gzip.
 */
export async function streamJson(exchange: Exchange, pieces: Iterable<Buffer>): Promise<void> {
  const { req, res } = exchange;
  const iterator = pieces[Symbol.iterator]();
  let chunk = nextChunk(iterator, CHUNK_BYTES);
  const gzip =
    acceptsGzip(req.headers['accept-encoding']) && chunk.bytes.byteLength >= GZIP_FROM_BYTES;
  if (chunk.last && !gzip) {
    respondBytes(exchange, 200, chunk.bytes);
    return;
  }
  res.writeHead(200, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-cache, private',
    Vary: 'Accept-Encoding',
    ...(gzip ? { 'Content-Encoding': 'gzip' } : {}),
  });
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  const out: Writable = gzip ? createGzip({ level: 1 }) : res;
  if (gzip) out.pipe(res);
  const gone = new AbortController();
  res.once('close', () => {
    gone.abort();
    if (gzip) out.destroy();
  });
  while (!gone.signal.aborted) {
    const room = out.write(chunk.bytes);
    if (chunk.last) break;
    if (!room) await once(out, 'drain', { signal: gone.signal }).catch(() => undefined);
    await nextTurn();
    chunk = nextChunk(iterator, CHUNK_BYTES);
  }
  if (!gone.signal.aborted) out.end();
}

function nextChunk(
  pieces: Iterator<Buffer>,
  bytesWanted: number,
): { bytes: Buffer; last: boolean } {
  const parts: Buffer[] = [];
  let size = 0;
  while (size < bytesWanted) {
    const next = pieces.next();
    if (next.done === true) return { bytes: Buffer.concat(parts, size), last: true };
    parts.push(next.value);
    size += next.value.byteLength;
  }
  return { bytes: Buffer.concat(parts, size), last: false };
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  return [header ?? []]
    .flat()
    .join(',')
    .split(',')
    .some((coding) => /^\s*gzip\s*(;\s*q=(1|0\.\d*[1-9]).*)?$/.test(coding));
}
