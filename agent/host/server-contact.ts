import { lookup } from 'node:dns/promises';
import { request } from 'node:https';
import { unbracketed } from '../../shared/url-host.ts';

/** The addresses of a name (or the address itself), by the machine's own resolver; undefined when there are none. */
export async function resolveHost(name: string): Promise<string[] | undefined> {
  try {
    return (await lookup(unbracketed(name), { all: true })).map(({ address }) => address);
  } catch {
    return undefined;
  }
}

/**
 * Asks an HTTPS server for `url` and answers its status and its time; any certificate will do, as nothing is believed and nothing told.
 */
export function contactServer(
  url: string,
  timeoutMs: number,
): Promise<{ status: number; dateMs: number | undefined } | { failure: string }> {
  return new Promise((resolve) => {
    const sent = request(url, { agent: false, rejectUnauthorized: false, timeout: timeoutMs });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    sent.on('error', (error) => resolve({ failure: error.message }));
    sent.on('response', (response) => {
      response.resume();
      const dateMs = Date.parse(response.headers.date ?? '');
      resolve({
        status: response.statusCode ?? 0,
        dateMs: Number.isNaN(dateMs) ? undefined : dateMs,
      });
    });
    sent.end();
  });
}
