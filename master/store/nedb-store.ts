import { stat, truncate, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import nedb from '@seald-io/nedb';
import { namingFullDisk } from '../../shared/disk-full.ts';
import type { Logger } from '../../shared/logger.ts';
import { AppendFile } from './append-file.ts';
import {
  BATCH_END,
  type BatchEnd,
  encodeBatch,
  escapeLine,
  readLine,
  soundLength,
} from './batch-end.ts';
import { damaged } from './damaged.ts';
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

// Its types speak of an ES module, its code is a CommonJS one: the import is the class itself.
const Datastore = nedb as unknown as typeof nedb.default;
type Datastore = InstanceType<typeof nedb.default>;

/** Encrypts the values of some records in the file. `open` throws with a clear sentence when the key is not the one. */
export interface RecordCipher {
  seals(key: string): boolean;
  seal(key: string, plain: Buffer): Buffer;
  open(key: string, sealed: Buffer): Buffer;
}

export interface NedbStoreOptions {
  /** The one file; its folder is made when it is missing. */
  path: string;
  /** The file has been written before: when it holds nothing, that is a loss and no beginning. */
  mustExist?: boolean;
  /** Such records live in memory only, and take part in revisions, transactions and watches. */
  isVolatile?: (key: string) => boolean;
  cipher?: RecordCipher;
  log?: Logger;
  /** Once, when the file can no longer be written: nothing is accepted from then on, and the process should end. */
  onFailure?: (error: Error) => void;
  /** How many revisions are reserved in one write, and skipped at each start; 2^20 when absent. */
  reserve?: number;
  /** A file smaller than this is not compacted, bytes; 4 MiB when absent. */
  compactFloorBytes?: number;
}

/** What is kept of a record: the string is the one that NeDB holds too. */
interface Entry {
  revision: number;
  /** The value; sealed: base64 of its sealed form. */
  text: string;
  sealed: boolean;
  /** About how long its line in the file is; 0 for what is in no file. */
  bytes: number;
}

interface StoredDocument {
  _id: string;
  rv: number;
  json?: string;
  sealed?: string;
}

interface Waiting {
  /** Runs in turn with the batch; what it returns is called when the batch is durable. */
  plan(batch: Batch): () => void;
  reject(error: Error): void;
}

/** What a group of transactions changes, before it is true. */
interface Batch {
  changes: Map<string, Entry | undefined>;
  events: StoreEvent[];
  revision: number;
  /** Even if no durable record changes. */
  mustWrite: boolean;
}

const MAX_BATCH = 512;
const COMPACT_RATIO = 2.5;
/** A file this small that holds no whole batch was cut off in its very first write. */
const FIRST_WRITE_BYTES = 4096;
/** Lines after which a compaction lets others run. */
const LINES_PER_TURN = 256;

/**
 * The embedded store: NeDB keeps and compacts the records, a layer above it makes them durable and atomic. Invariants: a transaction
 * is acknowledged after its batch is on the disk (one write, one fdatasync); a batch is in the file as a whole or not at all;
 * revisions are never given out twice, because a block of them is reserved in the file before its first is used; NeDB is never
 * queried, reads come from the own table; the first write error ends everything.
 */
export class NedbStore implements Store {
  readonly #options: NedbStoreOptions;
  readonly #reserve: number;
  readonly #table = new RecordTable<Entry>();
  readonly #listeners = new StoreListeners();
  readonly #file: AppendFile;
  #database: Datastore | undefined;
  /** What NeDB wanted to append since the last batch. */
  #lines: string[] = [];
  #waiting: Waiting[] = [];
  #compactions: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #running: Promise<void> | undefined;
  #failure: Error | undefined;
  #revision = 0;
  #ceiling = 0;
  #liveBytes = 0;

  constructor(options: NedbStoreOptions) {
    this.#options = options;
    this.#reserve = options.reserve ?? 2 ** 20;
    this.#file = new AppendFile(options.path);
  }

  get path(): string {
    return this.#options.path;
  }

  /** Throws with one sentence when the file is lost, damaged, sealed with another key, or not writable, or the disk is full. */
  async open(): Promise<void> {
    try {
      await this.#load();
    } catch (error) {
      await this.#file.close();
      const named = namingFullDisk(error, this.#options.path);
      const why = named instanceof Error ? named.message : String(named);
      throw new Error(`the store cannot be opened: ${why}`, { cause: error });
    }
  }

  async #load(): Promise<void> {
    const { path, mustExist = false, log } = this.#options;
    const cutBytes = await recoverTail(path, mustExist);
    if (cutBytes > 0) log?.warn(cutOff(path, cutBytes));
    const database = this.#newDatabase();
    try {
      await database.loadDatabaseAsync();
    } catch (error) {
      throw unloadable(path, error);
    }
    this.#database = database;
    this.#keepLines(database);
    await this.#file.reopen();
    this.#loadTable(database.getAllData() as (StoredDocument | BatchEnd)[]);
    this.#ceiling = this.#revision + this.#reserve;
    await this.#file.append(encodeBatch([], this.#end(this.#revision)));
  }

  async close(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    this.#failure ??= new Error(`the store ${this.#options.path} is closed`);
    await this.#file.close();
  }

  revision(): number {
    return this.#revision;
  }

  epoch(): number {
    return epochOf(this.#revision);
  }

  async raiseEpoch(atLeast: number): Promise<void> {
    await this.#enqueue((batch) => {
      batch.revision = Math.max(batch.revision, epochStart(atLeast));
      batch.mustWrite = true;
      return undefined;
    });
  }

  async get(key: string): Promise<StoreRecord | undefined> {
    if (this.#failure) throw this.#failure;
    const entry = this.#table.get(key);
    return entry && this.#record(key, entry);
  }

  async list(prefix: string): Promise<{ revision: number; records: StoreRecord[] }> {
    if (this.#failure) throw this.#failure;
    const records: StoreRecord[] = [];
    for (const key of this.#table.keys(prefix)) {
      const entry = this.#table.get(key);
      if (entry) records.push(this.#record(key, entry));
    }
    return { revision: this.#revision, records };
  }

  async txn(
    compares: readonly Compare[],
    operations: readonly StoreOperation[],
  ): Promise<TransactionResult> {
    return this.#enqueue((batch) => this.#plan(batch, compares, operations));
  }

  watch(listener: (events: readonly StoreEvent[]) => void): () => void {
    return this.#listeners.add(listener);
  }

  async compact(): Promise<void> {
    if (this.#failure) throw this.#failure;
    return new Promise((resolve, reject) => {
      this.#compactions.push({ resolve, reject });
      this.#run();
    });
  }

  async campaign(): Promise<{ lost: AbortSignal; resign(): Promise<void> }> {
    return { lost: new AbortController().signal, resign: async () => {} };
  }

  #newDatabase(): Datastore {
    let lines = 0;
    return new Datastore({
      filename: this.#options.path,
      corruptAlertThreshold: 0,
      modes: { fileMode: 0o600, dirMode: 0o700 },
      // Reached by compactions only; the pause keeps a large one from blocking everybody else.
      afterSerialization: async (line) => {
        lines += 1;
        if (lines % LINES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
        return escapeLine(line);
      },
      beforeDeserialization: readLine,
    });
  }

  /** NeDB appends without fsync and line by line: from here on it only hands its lines over. */
  #keepLines(database: Datastore): void {
    const persistence = database.persistence as unknown as {
      persistNewStateAsync(documents: readonly object[]): Promise<void>;
    };
    if (typeof persistence.persistNewStateAsync !== 'function') {
      throw new Error('this version of NeDB has no persistNewStateAsync');
    }
    persistence.persistNewStateAsync = async (documents) => {
      for (const document of documents) this.#lines.push(escapeLine(JSON.stringify(document)));
    };
  }

  #loadTable(documents: readonly (StoredDocument | BatchEnd)[]): void {
    const end = documents.find((document) => document._id === BATCH_END) as BatchEnd | undefined;
    const stored = documents.filter((document) => document._id !== BATCH_END) as StoredDocument[];
    for (const document of stored) this.#check(document);
    // Revision 0 means "any" to clients: the first one is 1.
    this.#revision = end?.ceiling ?? 1;
    const bytes = Math.ceil(this.#file.size / Math.max(1, documents.length));
    this.#table.load(
      stored.map(({ _id, rv, json, sealed }) => [
        _id,
        { revision: rv, text: sealed ?? json ?? '', sealed: sealed !== undefined, bytes },
      ]),
    );
    this.#liveBytes = bytes * stored.length;
  }

  #check({ _id, rv, json, sealed }: StoredDocument): void {
    const { path } = this.#options;
    if (!Number.isSafeInteger(rv) || typeof (sealed ?? json) !== 'string') {
      throw damaged(path, `${_id} is no record`);
    }
    try {
      if (sealed !== undefined) this.#open(_id, sealed);
    } catch (error) {
      throw new Error(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
    }
  }

  async #enqueue<T>(plan: (batch: Batch) => T): Promise<T> {
    if (this.#failure) throw this.#failure;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        plan: (batch) => {
          const result = plan(batch);
          return () => resolve(result);
        },
        reject,
      });
      this.#run();
    });
  }

  #run(): void {
    this.#running ??= this.#work();
  }

  /** The one writer: batches and compactions, one after another. */
  async #work(): Promise<void> {
    try {
      while (this.#waiting.length > 0 || this.#compactions.length > 0) {
        if (this.#waiting.length > 0) await this.#commit(this.#waiting.splice(0, MAX_BATCH));
        if (this.#compactions.length > 0 || this.#isOverdue()) await this.#compactNow();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      // In the same turn as the last look at the queue, so that nobody waits for a writer that has left.
      this.#running = undefined;
    }
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const batch: Batch = {
      changes: new Map(),
      events: [],
      revision: this.#revision,
      mustWrite: false,
    };
    const done: (() => void)[] = [];
    for (const waiting of group) {
      try {
        done.push(waiting.plan(batch));
      } catch (error) {
        // The value of one transaction could not be made; nothing of it is in the batch.
        done.push(() => waiting.reject(error as Error));
      }
    }
    try {
      await this.#persist(batch);
    } catch (error) {
      const failure = this.#fail(error);
      for (const waiting of group) waiting.reject(failure);
      return;
    }
    this.#revision = batch.revision;
    for (const [key, entry] of batch.changes) this.#apply(key, entry);
    this.#listeners.publish(batch.events);
    for (const settle of done) settle();
  }

  #plan(
    batch: Batch,
    compares: readonly Compare[],
    operations: readonly StoreOperation[],
  ): TransactionResult {
    const current = (key: string) =>
      batch.changes.has(key) ? batch.changes.get(key) : this.#table.get(key);
    const failed = compares.find(({ key, revision }) => (current(key)?.revision ?? 0) !== revision);
    if (failed) return { succeeded: false, failed };
    if (operations.length === 0) return { succeeded: true, revision: batch.revision, records: [] };
    const revision = batch.revision + 1;
    // Made before anything is changed, so that a value that throws leaves nothing behind.
    const events = operations.map((operation) => eventOf(operation, revision));
    const entries = events.map((event) =>
      event.kind === 'put' ? this.#entry(event.record) : undefined,
    );
    batch.revision = revision;
    batch.events.push(...events);
    operations.forEach(({ key }, index) => {
      batch.changes.set(key, entries[index]);
    });
    const records = events.flatMap((event) => (event.kind === 'put' ? [event.record] : []));
    return { succeeded: true, revision, records };
  }

  async #persist(batch: Batch): Promise<void> {
    const isDurable = (key: string) => !this.#options.isVolatile?.(key);
    for (const [key, entry] of batch.changes) {
      if (isDurable(key)) await this.#updateDatabase(key, entry);
    }
    const lines = this.#lines;
    this.#lines = [];
    if (lines.length === 0 && !batch.mustWrite && batch.revision <= this.#ceiling) return;
    if (batch.revision + this.#reserve / 2 > this.#ceiling) {
      this.#ceiling = batch.revision + this.#reserve;
    }
    await this.#file.append(encodeBatch(lines, this.#end(batch.revision)));
  }

  async #updateDatabase(key: string, entry: Entry | undefined): Promise<void> {
    const database = this.#database;
    if (!database) throw new Error('it is not open');
    const before = this.#lines.length;
    if (entry) {
      const value = entry.sealed ? { sealed: entry.text } : { json: entry.text };
      const document: StoredDocument = { _id: key, rv: entry.revision, ...value };
      await database.updateAsync({ _id: key }, document, { upsert: true });
    } else {
      await database.removeAsync({ _id: key }, {});
    }
    if (entry) entry.bytes = this.#lines.slice(before).reduce((sum, line) => sum + line.length, 1);
  }

  #apply(key: string, entry: Entry | undefined): void {
    this.#liveBytes += (entry?.bytes ?? 0) - (this.#table.get(key)?.bytes ?? 0);
    if (entry) this.#table.put(key, entry);
    else this.#table.delete(key);
  }

  #isOverdue(): boolean {
    const floor = this.#options.compactFloorBytes ?? 4 * 2 ** 20;
    return this.#file.size > Math.max(floor, this.#liveBytes * COMPACT_RATIO);
  }

  async #compactNow(): Promise<void> {
    const waiting = this.#compactions;
    this.#compactions = [];
    try {
      const end = { _id: BATCH_END, ...this.#end(this.#revision) };
      await this.#database?.updateAsync({ _id: BATCH_END }, end, { upsert: true });
      this.#lines = [];
      await this.#database?.compactDatafileAsync();
      await this.#file.reopen();
      this.#liveBytes = this.#file.size;
    } catch (error) {
      const failure = this.#fail(error);
      for (const { reject } of waiting) reject(failure);
      return;
    }
    for (const { resolve } of waiting) resolve();
  }

  #fail(cause: unknown): Error {
    if (this.#failure) return this.#failure;
    const why = cause instanceof Error ? cause.message : String(cause);
    const failure = new Error(`the store ${this.#options.path} cannot be written: ${why}`, {
      cause,
    });
    this.#failure = failure;
    for (const { reject } of [...this.#waiting, ...this.#compactions]) reject(failure);
    this.#waiting = [];
    this.#compactions = [];
    this.#options.onFailure?.(failure);
    return failure;
  }

  #end(revision: number): { rv: number; ceiling: number } {
    return { rv: revision, ceiling: this.#ceiling };
  }

  #entry({ key, revision, value }: StoreRecord): Entry {
    const { cipher, isVolatile } = this.#options;
    const sealed = Boolean(cipher?.seals(key)) && !isVolatile?.(key);
    const text = sealed && cipher ? cipher.seal(key, value).toString('base64') : value.toString();
    return { revision, text, sealed, bytes: 0 };
  }

  #record(key: string, { revision, text, sealed }: Entry): StoreRecord {
    return { key, revision, value: sealed ? this.#open(key, text) : Buffer.from(text) };
  }

  #open(key: string, sealed: string): Buffer {
    const { cipher, path } = this.#options;
    if (!cipher) throw new Error(`${path} holds sealed records, and there is no key to open them`);
    return cipher.open(key, Buffer.from(sealed, 'base64'));
  }
}

function eventOf(operation: StoreOperation, revision: number): StoreEvent {
  const { key } = operation;
  if (operation.kind === 'delete') return { kind: 'delete', revision, key };
  return { kind: 'put', revision, record: { key, revision, value: operation.value(revision) } };
}

/** Cuts off a half written batch, and refuses what would otherwise be lost in silence. Answers how many bytes were cut off. */
async function recoverTail(path: string, mustExist: boolean): Promise<number> {
  const size = await sizeOf(path);
  const rest = `${path}~`;
  const sound = size ? await soundLength(path) : undefined;
  if (sound === undefined) {
    if ((size ?? 0) > FIRST_WRITE_BYTES) throw damaged(path, 'it holds no whole write');
    if (await sizeOf(rest)) {
      throw new Error(
        `${path} is ${size === undefined ? 'missing' : 'empty'}, but ${rest} is there: it may hold all records; look at it, then rename or remove it`,
      );
    }
    if (mustExist) throw lost(path, size);
  }
  if (size !== undefined && sound !== size) await truncate(path, sound ?? 0);
  // What a compaction left that did not come to its end.
  if ((await sizeOf(rest)) !== undefined) await unlink(rest);
  return (size ?? 0) - (sound ?? 0);
}

function cutOff(path: string, bytes: number): string {
  return `${path}: its last ${bytes} bytes were no whole write and are cut off; after a loss of power nothing else is missing, else its disk may have lost more: compare with a backup`;
}

function lost(path: string, size: number | undefined): Error {
  const how = size === undefined ? 'is missing' : size === 0 ? 'is empty' : 'holds no records';
  return new Error(
    `${path} ${how}: put it back from a backup, or remove ${dirname(path)} to begin an empty cluster`,
  );
}

/** Bytes; undefined: there is no such file. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** NeDB's own words name no file; the system's errors, which have a code, do. */
function unloadable(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || 'code' in error) return error;
  if (!('corruptItems' in error && 'dataLength' in error))
    return damaged(path, error.message, error);
  return damaged(path, `${error.corruptItems} of ${error.dataLength} lines cannot be read`, error);
}
