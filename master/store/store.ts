/** One stored record: the serialised object and the revision of its last write. */
export interface StoreRecord {
  /** `/registry/<group>/<plural>/<namespace>/<name>`; empty parts are kept, so prefixes are exact. */
  key: string;
  revision: number;
  value: Buffer;
}

/** A condition of a transaction: the record's revision, 0 for "does not exist". */
export interface Compare {
  key: string;
  revision: number;
}

export type StoreOperation =
  | { kind: 'put'; key: string; value: (revision: number) => Buffer }
  | { kind: 'delete'; key: string };

export type TransactionResult =
  | { succeeded: true; revision: number; records: StoreRecord[] }
  | { succeeded: false; failed: Compare };

export type StoreEvent =
  | { kind: 'put'; revision: number; record: StoreRecord }
  | { kind: 'delete'; revision: number; key: string };

/**
 * The narrow interface behind which objects are kept: NeDB (nedb-store.ts), memory (memory-store.ts), later etcd. store.contract.ts
 * holds what each of them must do. Revisions are the resourceVersions: `epoch · 2^40 + n`, strictly increasing over the whole
 * store and over restarts, also for volatile records.
 */
export interface Store {
  /** The file that holds the records, where there is one: errors name it. */
  readonly path?: string;
  open(): Promise<void>;
  /** Waits for what is under way; nothing is lost. */
  close(): Promise<void>;
  /** The newest revision. */
  revision(): number;
  /** The epoch of the newest revision. */
  epoch(): number;
  /**
   * After a restore from a backup: revisions go on at `atLeast · 2^40`, so that whoever saw revisions that were lost is told to
   * list again. Without effect when the epoch is as high already.
   */
  raiseEpoch(atLeast: number): Promise<void>;
  get(key: string): Promise<StoreRecord | undefined>;
  /** All records under a prefix in key order, with the revision that they show. */
  list(prefix: string): Promise<{ revision: number; records: StoreRecord[] }>;
  /** All compares hold and all operations are durable, or nothing happens. All operations get the same revision. */
  txn(
    compares: readonly Compare[],
    operations: readonly StoreOperation[],
  ): Promise<TransactionResult>;
  /** Every change after the call, in revision order, each once. The returned function ends it. */
  watch(listener: (events: readonly StoreEvent[]) => void): () => void;
  /** Gives back space; writes wait meanwhile. */
  compact(): Promise<void>;
  /** Resolves when this process leads; `lost` fires when it no longer does. Embedded stores lead at once. */
  campaign(name: string): Promise<{ lost: AbortSignal; resign(): Promise<void> }>;
}
