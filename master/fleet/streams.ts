import { ApiError } from '../../shared/errors.ts';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import { encodeStreamMessage, type StreamMessage } from '../../shared/wire/stream-messages.ts';
import type { LogRequest, NodeStreams } from '../api/node-streams.ts';
import { NodeStream } from './node-stream.ts';

export interface StreamsOptions {
  /** Sends the body of a `stream` message; false when the node is not connected. */
  send(node: string, body: Uint8Array): boolean;
  /** Ids that no other master process uses: a node that outlives this one keeps its streams apart by them. */
  newStreamId: () => string;
}

/** The streams to all nodes: log now, exec and port-forward on the same messages. */
export class Streams implements NodeStreams {
  readonly #options: StreamsOptions;
  readonly #streams = new Map<string, Map<string, NodeStream>>();

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /** Begins a stream of a kind that the node's agent serves. Throws ServiceUnavailable when the node is not connected. */
  open(node: string, kind: string, request: JsonObject, signal: AbortSignal): NodeStream {
    const id = this.#options.newStreamId();
    const send = (message: StreamMessage) => this.#options.send(node, encodeStreamMessage(message));
    const onAbort = () => stream.cancel('the reader left');
    const stream = new NodeStream({
      id,
      // Who left before it began has nothing to end.
      send: signal.aborted ? () => false : send,
      onClosed: () => {
        signal.removeEventListener('abort', onAbort);
        this.#forget(node, id);
      },
    });
    if (signal.aborted) {
      stream.cancel('the reader left');
      return stream;
    }
    if (!send({ type: 'open', stream: id, kind, request })) throw notConnected(node);
    signal.addEventListener('abort', onAbort, { once: true });
    const streams = this.#streams.get(node) ?? new Map<string, NodeStream>();
    this.#streams.set(node, streams.set(id, stream));
    return stream;
  }

  async *logs(node: string, request: LogRequest, signal: AbortSignal): AsyncIterable<Buffer> {
    const stream = this.open(node, 'logs', { ...request }, signal);
    try {
      for await (const { bytes } of stream) {
        yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      }
    } finally {
      stream.cancel('the reader left');
    }
  }

  received(node: string, message: StreamMessage): void {
    if (message.type === 'open') return;
    const stream = this.#streams.get(node)?.get(message.stream);
    if (stream) stream.receive(message);
    else if (message.type === 'data') this.#cancelUnknown(node, message.stream);
  }

  /** Whatever was under way with this node is over. */
  disconnected(node: string): void {
    for (const stream of [...(this.#streams.get(node)?.values() ?? [])]) {
      stream.fail(new ApiError('ServiceUnavailable', `the connection to node ${node} was lost`));
    }
  }

  stop(): void {
    for (const node of [...this.#streams.keys()]) this.disconnected(node);
  }

  /** A node that still sends has not heard that nobody reads. */
  #cancelUnknown(node: string, stream: string): void {
    this.#options.send(
      node,
      encodeStreamMessage({ type: 'cancel', stream, reason: 'no such stream' }),
    );
  }

  #forget(node: string, id: string): void {
    const streams = this.#streams.get(node);
    streams?.delete(id);
    if (streams?.size === 0) this.#streams.delete(node);
  }
}

function notConnected(node: string): ApiError {
  return new ApiError('ServiceUnavailable', `node ${node} is not connected`);
}
