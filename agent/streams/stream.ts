import type { JsonObject } from '../../shared/meta/kube-object.ts';

/** The agent's end of one stream to the master. `write` resolves when there is credit, so a slow reader slows the source. */
export interface StreamSink {
  /** At most 32 KiB a chunk; larger ones are split. */
  write(chunk: Uint8Array): Promise<void>;
}

/** Refusal before the first chunk: becomes the API's error. */
export class StreamRefused extends Error {
  readonly reason: 'NotFound' | 'BadRequest' | 'InternalError';

  constructor(reason: 'NotFound' | 'BadRequest' | 'InternalError', message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Serves one kind of stream (`logs`; later exec, attach, port-forward). Resolving ends the stream; `signal` aborts when the reader left. */
export interface StreamHandler {
  kind: string;
  serve(request: JsonObject, sink: StreamSink, signal: AbortSignal): Promise<void>;
}
