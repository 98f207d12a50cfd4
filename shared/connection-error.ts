/**
 * What a connection that failed says, one sentence. Without the local end that Node.js (lib/net.js, internalConnect) puts after it: of a
 * connection that never was it reads "Local (0.0.0.0:0)".
 */
export function connectionFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/ - Local \([^()]*\)$/, '');
}
