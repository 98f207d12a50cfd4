import type { Logger } from '../../shared/logger.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import type { Reports, Seen, WireReport } from '../../shared/wire/report-messages.ts';
import type { Outbox, Report } from './outbox.ts';

/** What comes within this time travels together. */
const GATHER_MS = 20;
/** Before compression; a frame takes 96 KB with its header and signature. */
const BATCH_BYTES = 64 * 1024;
const RESEND_MS = { first: 10_000, max: 300_000 };
/** Kept while the link is down; older events are dropped, as Kubernetes drops them after an hour. */
const MAX_EVENTS = 500;
const EVENT_PREFIX = 'events/';

interface Entry {
  report: WireReport;
  json: string;
}

export interface OutboxOptions {
  /** Sends a batch; the number that names it. Undefined: not connected. */
  send: (batch: Reports) => number | undefined;
  clock: Clock;
  logger: Logger;
}

/**
 * Reports on their way to the master. Invariants: only the latest of each key is kept; it is kept until the master has seen exactly
 * it; one batch is under way at a time, so a slow master slows the sending and nothing queues.
 */
export class StatusOutbox implements Outbox {
  readonly #options: OutboxOptions;
  /** Not yet seen, oldest first. */
  readonly #waiting = new Map<string, Entry>();
  /** Seen; what is equal to it is not sent again. Without events, and without what is gone. */
  readonly #seen = new Map<string, Entry>();
  #underWay: { sequence: number; entries: Entry[] } | undefined;
  #connected = false;
  #cancel: (() => void) | undefined;
  #resendMs = RESEND_MS.first;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  put({ key, body }: Report): void {
    const entry = { report: { key, body }, json: JSON.stringify(body) };
    if ((this.#waiting.get(key) ?? this.#seen.get(key))?.json === entry.json) return;
    this.#waiting.delete(key);
    this.#waiting.set(key, entry);
    this.#limitEvents();
    if (this.#underWay === undefined) this.#flushAfter(GATHER_MS);
  }

  withdraw(key: string): void {
    this.#waiting.delete(key);
    this.#seen.delete(key);
    if (this.#underWay === undefined) return;
    // Else the answer to the batch would bring it back.
    this.#underWay.entries = this.#underWay.entries.filter(({ report }) => report.key !== key);
  }

  connected(): void {
    this.#connected = true;
    this.#resendMs = RESEND_MS.first;
    this.#forgetUnderWay();
    this.#flush();
  }

  disconnected(): void {
    this.#connected = false;
    this.#forgetUnderWay();
  }

  /** Takes the master's `seen`. */
  seen({ sequence, refused, resend }: Seen): void {
    if (resend) this.resendAll();
    if (this.#underWay?.sequence !== sequence) return;
    const { entries } = this.#underWay;
    this.#forgetUnderWay();
    this.#resendMs = RESEND_MS.first;
    const refusedKeys = new Set(refused.map(({ key }) => key));
    for (const { key, message } of refused) {
      this.#options.logger.warn(`the master refuses a report: ${message}`, { key });
    }
    for (const entry of entries) {
      const { key, body } = entry.report;
      if (this.#waiting.get(key) === entry) this.#waiting.delete(key);
      if (body['gone'] === true || refusedKeys.has(key)) this.#seen.delete(key);
      else if (!key.startsWith(EVENT_PREFIX)) this.#seen.set(key, entry);
    }
    this.#flush();
  }

  /** Everything still true is reported once more: the master may have lost it. */
  resendAll(): void {
    for (const [key, entry] of this.#seen) {
      if (!this.#waiting.has(key)) this.#waiting.set(key, entry);
    }
    this.#seen.clear();
    if (this.#underWay === undefined) this.#flushAfter(GATHER_MS);
  }

  /** How many reports the master has not seen. */
  get unseen(): number {
    return this.#waiting.size;
  }

  #flush(): void {
    if (!this.#connected || this.#underWay !== undefined || this.#waiting.size === 0) return;
    this.#cancel?.();
    const entries = this.#nextBatch();
    const sequence = this.#options.send({ reports: entries.map(({ report }) => report) });
    if (sequence !== undefined) this.#underWay = { sequence, entries };
    // A batch that is not answered is made anew, of what is the latest then.
    const delayMs = this.#resendMs;
    this.#resendMs = Math.min(RESEND_MS.max, delayMs * 2);
    this.#cancel = this.#options.clock.after(delayMs, () => {
      this.#forgetUnderWay();
      this.#flush();
    });
  }

  #flushAfter(delayMs: number): void {
    if (!this.#connected || this.#cancel !== undefined) return;
    this.#cancel = this.#options.clock.after(delayMs, () => {
      this.#cancel = undefined;
      this.#flush();
    });
  }

  #nextBatch(): Entry[] {
    const batch: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#waiting.values()) {
      bytes += entry.json.length + entry.report.key.length + 20;
      if (batch.length > 0 && bytes > BATCH_BYTES) break;
      batch.push(entry);
    }
    return batch;
  }

  #forgetUnderWay(): void {
    this.#underWay = undefined;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #limitEvents(): void {
    if (this.#waiting.size <= MAX_EVENTS) return;
    const events = [...this.#waiting.keys()].filter((key) => key.startsWith(EVENT_PREFIX));
    const oldest = events.length > MAX_EVENTS ? events[0] : undefined;
    if (oldest !== undefined) this.#waiting.delete(oldest);
  }
}
