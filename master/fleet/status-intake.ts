import { ApiError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import type { Seen, WireReport } from '../../shared/wire/report-messages.ts';
import type { Registry } from '../store/registry.ts';
import { EventReports } from './event-reports.ts';
import { NodeLeases } from './node-leases.ts';
import { NodeReports } from './node-reports.ts';
import { PodReports } from './pod-reports.ts';
import { RefusedReport } from './report-error.ts';

export interface StatusIntakeOptions {
  registry: Registry;
  clock: Clock;
  log: Logger;
  /** Tells the node that a batch is settled; `session` is the one in which it came. */
  acknowledge(node: string, session: string, seen: Seen): void;
  /** Asks a node to report everything again; called with each heartbeat until it did. */
  askForAll(node: string): void;
}

export interface ReportBatch {
  session: string;
  sequence: number;
  reports: readonly WireReport[];
}

/**
 * Writes what nodes report, one batch of a node after the other. Invariant: a batch is acknowledged after every report in it was
 * written durably or refused for good; when one fails for now the whole batch comes again, which does no harm. Of each node one batch is under way and one waits, however
 * many come: a newer one takes the place of the one that waits, which is not acknowledged and so comes again.
 */
export class StatusIntake {
  readonly #options: StatusIntakeOptions;
  readonly #pods: PodReports;
  readonly #nodes: NodeReports;
  readonly #events: EventReports;
  readonly #leases: NodeLeases;
  /** The end of what is being done for each node. */
  readonly #queues = new Map<string, Promise<void>>();
  /** The batch under way of each node, and the one that waits. */
  readonly #batches = new Map<string, ReportBatch[]>();
  /** Nodes whose heartbeat is being written: the next one says the same. */
  readonly #beating = new Set<string>();

  constructor(options: StatusIntakeOptions) {
    this.#options = options;
    this.#pods = new PodReports(options);
    this.#nodes = new NodeReports(options);
    this.#events = new EventReports(options);
    this.#leases = new NodeLeases(options);
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    await Promise.all(this.#queues.values());
  }

  forget(node: string): void {
    this.#nodes.forget(node);
  }

  reports(node: string, batch: ReportBatch): void {
    const batches = this.#batches.get(node) ?? [];
    if (batches.length > 1) {
      batches[1] = batch;
      return;
    }
    batches.push(batch);
    this.#batches.set(node, batches);
    this.#inTurn(node, () => this.#takeFirst(node, batches));
  }

  alive(node: string): void {
    if (this.#beating.has(node)) return;
    this.#beating.add(node);
    this.#inTurn(node, async () => {
      this.#beating.delete(node);
      try {
        await this.#leases.renew(node);
        if (!(await this.#nodes.revive(node))) this.#options.askForAll(node);
      } catch (error) {
        this.#options.log.warn('a heartbeat was not recorded', { node, error: String(error) });
      }
    });
  }

  #inTurn(node: string, work: () => Promise<void>): void {
    const turn = (this.#queues.get(node) ?? Promise.resolve()).then(work);
    this.#queues.set(node, turn);
    void turn.then(() => {
      if (this.#queues.get(node) === turn) this.#queues.delete(node);
    });
  }

  async #takeFirst(node: string, batches: ReportBatch[]): Promise<void> {
    try {
      if (batches[0]) await this.#takeBatch(node, batches[0]);
    } finally {
      batches.shift();
      if (batches.length === 0) this.#batches.delete(node);
    }
  }

  /** Reports of one batch are about different things, so they are written at once: the store gathers them into one commit. */
  async #takeBatch(node: string, { session, sequence, reports }: ReportBatch): Promise<void> {
    const outcomes = await Promise.all(reports.map((report) => this.#takeOne(node, report)));
    if (outcomes.some((outcome) => outcome === 'later')) return;
    const refused = reports.flatMap(({ key }, i) => {
      const outcome = outcomes[i];
      return typeof outcome === 'object' ? [{ key, message: outcome.refused }] : [];
    });
    this.#options.acknowledge(node, session, { sequence, refused });
  }

  async #takeOne(
    node: string,
    report: WireReport,
  ): Promise<'done' | 'later' | { refused: string }> {
    const { log } = this.#options;
    const { key } = report;
    try {
      await this.#write(node, report);
      return 'done';
    } catch (error) {
      if (error instanceof ApiError && error.temporary) {
        log.warn('a report could not be written for now', { node, key, error: error.message });
        return 'later';
      }
      const refused = error instanceof Error ? error.message : String(error);
      const isExpected = error instanceof ApiError || error instanceof RefusedReport;
      if (isExpected) log.warn('refused a report', { node, key, reason: refused });
      else log.error('a report could not be processed', { node, key, error: String(error) });
      return { refused };
    }
  }

  async #write(node: string, { key, body }: WireReport): Promise<void> {
    const [plural, namespace = '', name = '', uid = ''] = key.split('/');
    switch (plural) {
      case 'pods':
        return this.#pods.take(node, { namespace, name, uid }, body);
      case 'nodes':
        return this.#nodes.take(node, name, body);
      case 'events':
        return this.#events.take(node, { namespace, name }, body);
      default:
        throw new RefusedReport(`reports about ${plural} are not known here`);
    }
  }
}
