import type { JsonObject } from '../meta/kube-object.ts';
import { decodeBody, encodeBody, naturalIn, objectIn, stringIn } from './body.ts';
import { FrameError } from './frame.ts';

/** The most that one data message carries. */
export const STREAM_CHUNK_BYTES = 32 * 1024;
/** How many data messages may be under way in each direction before the reader grants more. */
export const STREAM_WINDOW = 16;

/**
 * The body of `stream` messages, the same both ways; `stream` is the id that the master chose. Each direction numbers its data from
 * 0. A sender may send sequence numbers below what was granted: STREAM_WINDOW at first, then the highest `upTo` seen. A receiver
 * drops a number that it had already, and resets the stream (`cancel`, reason `gap`) when one is missing.
 */
export type StreamMessage =
  /** Master to node only: begins the stream. `kind` names the handler: `logs`. */
  | { type: 'open'; stream: string; kind: string; request: JsonObject }
  /** `channel` tells stdin, stdout, stderr, resize, port apart where a kind has several; 0 where it has one. */
  | { type: 'data'; stream: string; sequence: number; channel: number; bytes: Uint8Array }
  | { type: 'credit'; stream: string; upTo: number }
  /**
   * Nothing more comes from this side; `sequence` is how many data messages there were. With `error` it is the refusal or failure
   * of the whole stream; `result` is what the kind defines (an exit code).
   */
  | {
      type: 'end';
      stream: string;
      sequence: number;
      error?: { reason: string; message: string };
      result?: JsonObject;
    }
  /** Both directions are over at once: the reader left, or the stream broke. */
  | { type: 'cancel'; stream: string; reason: string };

/** First byte 0: JSON; 1: data as length of the id, id, sequence (4 bytes), channel, bytes. */
const JSON_MARK = 0;
const DATA_MARK = 1;
const DATA_OVERHEAD_BYTES = 7;

export function encodeStreamMessage(message: StreamMessage): Uint8Array {
  if (message.type === 'data') return encodeData(message);
  const json = encodeBody(message);
  const bytes = new Uint8Array(1 + json.length);
  bytes[0] = JSON_MARK;
  bytes.set(json, 1);
  return bytes;
}

function encodeData(message: Extract<StreamMessage, { type: 'data' }>): Uint8Array {
  const id = new TextEncoder().encode(message.stream);
  const bytes = new Uint8Array(DATA_OVERHEAD_BYTES + id.length + message.bytes.length);
  bytes[0] = DATA_MARK;
  bytes[1] = id.length;
  bytes.set(id, 2);
  new DataView(bytes.buffer).setUint32(2 + id.length, message.sequence);
  bytes[6 + id.length] = message.channel;
  bytes.set(message.bytes, DATA_OVERHEAD_BYTES + id.length);
  return bytes;
}

/** Throws FrameError (malformed). The bytes of data are a view into `body`. */
export function decodeStreamMessage(body: Uint8Array): StreamMessage {
  if (body[0] === DATA_MARK) return decodeData(body);
  if (body[0] !== JSON_MARK) throw new FrameError('malformed', 'unknown stream message');
  const fields = decodeBody(body.subarray(1));
  const stream = stringIn(fields['stream'], 'stream');
  switch (fields['type']) {
    case 'open':
      return {
        type: 'open',
        stream,
        kind: stringIn(fields['kind'], 'kind'),
        request: objectIn(fields['request'], 'request'),
      };
    case 'credit':
      return { type: 'credit', stream, upTo: naturalIn(fields['upTo'], 'upTo') };
    case 'end':
      return decodeEnd(stream, fields);
    case 'cancel':
      return { type: 'cancel', stream, reason: stringIn(fields['reason'], 'reason') };
    default:
      throw new FrameError('malformed', 'unknown stream message');
  }
}

function decodeData(body: Uint8Array): StreamMessage {
  const idLength = body[1] ?? 0;
  const dataFrom = DATA_OVERHEAD_BYTES + idLength;
  if (body.length < dataFrom) throw new FrameError('malformed', 'the data is cut short');
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return {
    type: 'data',
    stream: new TextDecoder().decode(body.subarray(2, 2 + idLength)),
    sequence: view.getUint32(2 + idLength),
    channel: view.getUint8(6 + idLength),
    bytes: body.subarray(dataFrom),
  };
}

function decodeEnd(stream: string, fields: JsonObject): StreamMessage {
  const sequence = naturalIn(fields['sequence'], 'sequence');
  const error = fields['error'] === undefined ? undefined : objectIn(fields['error'], 'error');
  return {
    type: 'end',
    stream,
    sequence,
    ...(error && {
      error: {
        reason: stringIn(error['reason'], 'reason'),
        message: stringIn(error['message'], 'message'),
      },
    }),
    ...(fields['result'] === undefined ? {} : { result: objectIn(fields['result'], 'result') }),
  };
}
