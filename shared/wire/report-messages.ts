import type { JsonObject } from '../meta/kube-object.ts';
import { arrayIn, naturalIn, objectIn, stringIn } from './body.ts';

/** One report: the latest state of what `key` names, whole. Keys and bodies as in agent/link/outbox.ts. */
export interface WireReport {
  /** `pods/<namespace>/<name>/<uid>`, `nodes//<name>`, `events/<namespace>/<name>`. */
  key: string;
  body: JsonObject;
}

/** `reports`: a batch; the header's sequence names it. Sent again, with a new sequence and the latest content, until seen. */
export interface Reports {
  reports: WireReport[];
}

/**
 * `seen` (on `d`): everything in the batch with this sequence is settled: written durably, or refused for good and not to be sent
 * again. A report that was put meanwhile stays in the outbox. What failed for now is not answered.
 */
export interface Seen {
  sequence: number;
  /** Reports that the node may not make, for its log. */
  refused: { key: string; message: string }[];
  /** The master has lost what was reported: everything that still holds is to be sent again. The sequence is then 0. */
  resend?: boolean;
}

/** `refused` (on `d`): the master serves nothing of this session; the message is one sentence for the user. */
export interface Refused {
  message: string;
}

export function readRefused(body: JsonObject): Refused {
  return { message: stringIn(body['message'], 'message') };
}

/** `alive`: the heartbeat (`up: true`), the first one being the birth; the will is `up: false`. */
export interface Alive {
  up: boolean;
}

export function readReports(body: JsonObject): Reports {
  return {
    reports: arrayIn(body['reports'], 'reports').map((value) => {
      const report = objectIn(value, 'report');
      return { key: stringIn(report['key'], 'key'), body: objectIn(report['body'], 'body') };
    }),
  };
}

export function readSeen(body: JsonObject): Seen {
  return {
    sequence: naturalIn(body['sequence'], 'sequence'),
    refused: arrayIn(body['refused'] ?? [], 'refused').map((value) => {
      const refusal = objectIn(value, 'refusal');
      return {
        key: stringIn(refusal['key'], 'key'),
        message: stringIn(refusal['message'], 'message'),
      };
    }),
    ...(body['resend'] === true ? { resend: true } : {}),
  };
}

/** A heartbeat is sent so often that its body is one byte: '1' up, '0' down. */
export function encodeAlive({ up }: Alive): Uint8Array {
  return new TextEncoder().encode(up ? '1' : '0');
}

export function readAlive(body: Uint8Array): Alive {
  return { up: body[0] !== 0x30 };
}
