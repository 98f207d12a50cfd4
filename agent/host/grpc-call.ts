import { bracketed } from '../../shared/url-host.ts';

export interface GrpcCall {
  host: string;
  port: number;
  /** `/package.Service/Method`. */
  path: string;
  userAgent: string;
  /** One message, encoded. */
  message: Uint8Array;
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface GrpcAnswer {
  /** As in grpc-status: 0 is OK. */
  status: number;
  /** What grpc-message says. */
  words: string;
  /** The first message of the answer; empty when there was none. */
  message: Buffer;
}

const PREFIX_BYTES = 5;
const MAX_ANSWER_BYTES = 64 * 1024;

/** One unary gRPC call over plain HTTP/2 (grpc's PROTOCOL-HTTP2), on a connection of its own. Throws an Error with what the socket said. */
export async function grpcCall(call: GrpcCall): Promise<GrpcAnswer> {
  // Loaded by the first gRPC probe: most devices have none, and it is large.
  const { connect } = await import('node:http2');
  const limit = AbortSignal.timeout(call.timeoutMs);
  const signal = call.signal === undefined ? limit : AbortSignal.any([limit, call.signal]);
  const session = connect(`http://${bracketed(call.host)}:${call.port}`);
  return await new Promise<GrpcAnswer>((resolve, reject) => {
    session.once('error', reject);
    const give = () => reject(new Error('context deadline exceeded'));
    if (signal.aborted) give();
    signal.addEventListener('abort', give);
    const stream = session.request({
      ':method': 'POST',
      ':path': call.path,
      'content-type': 'application/grpc',
      'user-agent': call.userAgent,
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let headers: Record<string, unknown> = {};
    const note = (more: object) => {
      headers = { ...headers, ...more };
    };
    stream.once('error', reject);
    stream.once('response', note);
    stream.once('trailers', note);
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) reject(new Error('the answer is too long'));
      else chunks.push(chunk);
    });
    stream.once('end', () => {
      const status = Number(headers['grpc-status'] ?? 2);
      const words = percentDecoded(String(headers['grpc-message'] ?? ''));
      const message = Buffer.concat(chunks).subarray(PREFIX_BYTES);
      resolve({ status, words, message });
    });
    stream.end(framed(call.message));
  }).finally(() => session.destroy());
}

/** PROTOCOL-HTTP2, Status-Message: what is not encoded as it should be is no error, and shown as it came. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Uncompressed, with its length. */
function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
