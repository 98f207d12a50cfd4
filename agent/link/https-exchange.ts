import { request } from 'node:https';

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

export interface HttpsRequest {
  method: 'GET' | 'POST';
  url: string;
  /** PEM of the only authority that is trusted; 'anyone': no check, for what is checked otherwise. */
  trust: { ca: string } | 'anyone';
  /** PEM; the client's own certificate. */
  identity?: { certificate: string; privateKey: string };
  bearer?: string;
  json?: object;
  signal: AbortSignal;
}

export interface HttpsAnswer {
  status: number;
  body: string;
}

/** One request over a connection of its own. Throws when there is no answer: refused, timed out, not trusted, aborted. */
export function httpsExchange(wanted: HttpsRequest): Promise<HttpsAnswer> {
  const body = wanted.json === undefined ? undefined : JSON.stringify(wanted.json);
  return new Promise((resolve, reject) => {
    const exchange = request(wanted.url, {
      method: wanted.method,
      agent: false,
      signal: wanted.signal,
      timeout: TIMEOUT_MS,
      headers: {
        accept: 'application/json',
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        ...(wanted.bearer === undefined ? {} : { authorization: `Bearer ${wanted.bearer}` }),
      },
      ...(wanted.trust === 'anyone' ? { rejectUnauthorized: false } : { ca: wanted.trust.ca }),
      ...(wanted.identity === undefined
        ? {}
        : { cert: wanted.identity.certificate, key: wanted.identity.privateKey }),
    });
    exchange.on('timeout', () => exchange.destroy(new Error('no answer within 30 s')));
    exchange.on('error', reject);
    exchange.on('response', (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too large'));
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    exchange.end(body);
  });
}
