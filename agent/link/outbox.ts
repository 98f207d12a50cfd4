import type { JsonObject } from '../../shared/meta/kube-object.ts';

/** A report to the master; only the latest of each key matters. */
export interface Report {
  /** `pods/<namespace>/<name>/<uid>`, `nodes//<name>`, `events/<namespace>/<name>`. */
  key: string;
  /** For pods `{ uid, status, gone? }`: gone means every container and the sandbox are removed; for nodes `{ status }`; for events the Event object. */
  body: JsonObject;
}

/** Keeps the latest report of each key until the master acknowledged it; link/status-outbox.ts implements it. */
export interface Outbox {
  put(report: Report): void;
  /** What the key is about is no longer this node's: nothing more is said of it. */
  withdraw(key: string): void;
}
