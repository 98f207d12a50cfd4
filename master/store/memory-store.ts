import { RecordTable } from './record-table.ts';
import { epochOf, epochStart } from './revision.ts';
import type {
  Compare,
  Store,
  StoreEvent,
  StoreOperation,
  StoreRecord,
  TransactionResult,
} from './store.ts';
import { StoreListeners } from './store-listeners.ts';

/** A store that forgets: for tests, and the model of what the others do. */
export class MemoryStore implements Store {
  readonly #table = new RecordTable<StoreRecord>();
  readonly #listeners = new StoreListeners();
  #revision: number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: { epoch?: number } = {}) {
    // Revision 0 means "any" to clients: the first one is 1.
    this.#revision = Math.max(1, epochStart(options.epoch ?? 0));
  }

  async open(): Promise<void> {}

  async close(): Promise<void> {
    await this.#turn;
  }

  revision(): number {
    return this.#revision;
  }

  epoch(): number {
    return epochOf(this.#revision);
  }

  async raiseEpoch(atLeast: number): Promise<void> {
    await this.#inTurn(() => {
      this.#revision = Math.max(this.#revision, epochStart(atLeast));
    });
  }

  async get(key: string): Promise<StoreRecord | undefined> {
    return this.#table.get(key);
  }

  async list(prefix: string): Promise<{ revision: number; records: StoreRecord[] }> {
    const records = this.#table.keys(prefix).flatMap((key) => this.#table.get(key) ?? []);
    return { revision: this.#revision, records };
  }

  async txn(
    compares: readonly Compare[],
    operations: readonly StoreOperation[],
  ): Promise<TransactionResult> {
    return this.#inTurn(() => this.#commit(compares, operations));
  }

  watch(listener: (events: readonly StoreEvent[]) => void): () => void {
    return this.#listeners.add(listener);
  }

  async compact(): Promise<void> {}

  async campaign(): Promise<{ lost: AbortSignal; resign(): Promise<void> }> {
    return { lost: new AbortController().signal, resign: async () => {} };
  }

  /** One after another, never within a listener: listeners see revisions in order. */
  async #inTurn<T>(work: () => T): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #commit(compares: readonly Compare[], operations: readonly StoreOperation[]): TransactionResult {
    const failed = compares.find(
      ({ key, revision }) => (this.#table.get(key)?.revision ?? 0) !== revision,
    );
    if (failed) return { succeeded: false, failed };
    if (operations.length === 0) {
      return { succeeded: true, revision: this.#revision, records: [] };
    }
    const revision = this.#revision + 1;
    const events = operations.map((operation) => eventOf(operation, revision));
    this.#revision = revision;
    for (const event of events) {
      if (event.kind === 'put') this.#table.put(event.record.key, event.record);
      else this.#table.delete(event.key);
    }
    this.#listeners.publish(events);
    const records = events.flatMap((event) => (event.kind === 'put' ? [event.record] : []));
    return { succeeded: true, revision, records };
  }
}

function eventOf(operation: StoreOperation, revision: number): StoreEvent {
  const { key } = operation;
  if (operation.kind === 'delete') return { kind: 'delete', revision, key };
  return { kind: 'put', revision, record: { key, revision, value: operation.value(revision) } };
}
