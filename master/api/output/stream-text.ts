import { once } from 'node:events';
import type { Exchange } from '../exchange.ts';

/**
 * Answers 200 with text as it comes, as fast as the client reads it. The answer begins with the first chunk, so that an error
 * before it is a Status; an error behind it cuts the connection. `open` gets a signal that aborts when the client leaves.
 */
export async function streamText(
  { res }: Exchange,
  open: (signal: AbortSignal) => AsyncIterable<Buffer>,
): Promise<void> {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const { signal } = gone;
  try {
    for await (const chunk of open(signal)) {
      if (signal.aborted) return;
      begin(res);
      if (!res.write(chunk)) await once(res, 'drain', { signal });
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  if (signal.aborted) return;
  begin(res);
  res.end();
}

function begin(res: Exchange['res']): void {
  if (res.headersSent) return;
  res.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-cache, private' });
}
