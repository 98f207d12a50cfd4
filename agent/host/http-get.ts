import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface HttpGet {
  url: URL;
  /** By their names in lower case; one with several values is sent as often. */
  headers: Readonly<Record<string, string | string[]>>;
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface HttpAnswer {
  status: number;
  /** At most 10 KiB of it. */
  body: string;
}

const MAX_BODY_BYTES = 10 * 1024;
const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * One GET on a connection of its own, certificates unchecked. Redirects are followed while they stay on the same host; one that leads
 * elsewhere is the answer. The whole must end in `timeoutMs`. Throws an Error that says what happened, with the address.
 */
export async function httpGet(get: HttpGet): Promise<HttpAnswer> {
  const limit = AbortSignal.timeout(get.timeoutMs);
  const signal = get.signal === undefined ? limit : AbortSignal.any([limit, get.signal]);
  let { url } = get;
  try {
    for (let redirects = 0; ; redirects++) {
      const answer = await getOnce(url, get.headers, signal);
      const next = redirectOf(url, answer);
      if (next === undefined) return answer;
      if (redirects === MAX_REDIRECTS) throw new Error(`stopped after ${MAX_REDIRECTS} redirects`);
      url = next;
    }
  } catch (error) {
    const why = limit.aborted ? 'context deadline exceeded' : wordsOf(error as ConnectError);
    throw new Error(`Get "${url.href}": ${why}`);
  }
}

/** As Go's resolver and sockets say it: what operators search for. */
function wordsOf({ code, syscall, address, port, message }: ConnectError): string {
  const words: Record<string, string> = {
    ECONNREFUSED: 'connection refused',
    EHOSTUNREACH: 'no route to host',
    ENETUNREACH: 'network is unreachable',
    ECONNRESET: 'connection reset by peer',
  };
  const known = words[code ?? ''];
  if (known === undefined) return message;
  if (syscall === 'connect') return `dial tcp ${address}:${port}: connect: ${known}`;
  return known === 'connection reset by peer' ? `read: ${known}` : known;
}

interface ConnectError extends NodeJS.ErrnoException {
  address?: string;
  port?: number;
}

type Answer = HttpAnswer & { location: string | undefined };

function getOnce(url: URL, headers: HttpGet['headers'], signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? requestHttps : requestHttp;
    const options = { headers, agent: false, signal, rejectUnauthorized: false };
    const sent = request(url, options, (response) => {
      readBody(response).then(
        (body) =>
          resolve({ status: response.statusCode ?? 0, body, location: response.headers.location }),
        reject,
      );
    });
    sent.once('error', reject);
    sent.end();
  });
}

/** What is beyond the limit is never read: the connection is closed. */
async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_BODY_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString();
}

function redirectOf(from: URL, { status, location }: Answer): URL | undefined {
  if (!REDIRECTS.has(status) || location === undefined) return undefined;
  const to = new URL(location, from);
  return to.hostname === from.hostname ? to : undefined;
}
