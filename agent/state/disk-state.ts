import type { Logger } from '../../shared/logger.ts';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import { NO_STATE_HASH, type WireDocument } from '../../shared/wire/desired-messages.ts';
import { AppendFile, ensurePrivateFolder } from '../host/files.ts';
import type { AgentState, DesiredDocument } from './agent-state.ts';
import { type Commit, type DesiredMark, decodeCommits, encodeCommit } from './commit.ts';
import { DocumentTable } from './document-table.ts';

/** The log is rewritten when it is larger than this and than three times what it was after the last time. */
const COMPACT_FROM_BYTES = 256 * 1024;
const COMPACT_FACTOR = 3;
const DOCUMENTS_PER_LINE = 200;

/** Written as a whole when the log is made: a log that does not begin with a whole line was damaged. */
const BEGINNING = encodeCommit({ starts: 0 });

const NOTHING_YET: DesiredMark = {
  epoch: 0,
  term: 0,
  generation: 0,
  hash: NO_STATE_HASH,
};

/** A new desired state as a difference to the present one. */
export interface DesiredChange {
  mark: DesiredMark;
  puts: readonly WireDocument[];
  deletes: readonly string[];
}

/**
 * The state in one log, DIR/agent/state.log: every change is one appended line, so a change costs one write of its own size, and a
 * cut at any byte loses at most what was never acknowledged. Changes that come while one is being written share the next line.
 * Invariants: memory shows only what is on disk; documents and their mark change in the same line; of a log that has lost more than
 * its end nothing is taken for what the master wants.
 */
export class DiskState implements AgentState {
  readonly #folder: string;
  readonly #file: AppendFile;
  readonly #unseal: (document: WireDocument) => JsonObject;
  readonly #logger: Logger;
  readonly #documents = new DocumentTable();
  readonly #unsealed = new Map<string, DesiredDocument | undefined>();
  readonly #records = new Map<string, JsonObject>();
  readonly #listeners = new Set<(keys: readonly string[]) => void>();
  /** Undefined until the first full set. */
  #mark: DesiredMark | undefined;
  #starts = 0;
  #compactFromBytes = COMPACT_FROM_BYTES;
  #waiting: { commit: Commit; resolve: () => void; reject: (error: unknown) => void }[] = [];
  #writing: Promise<void> | undefined;

  /** `unseal` opens a sealed document with the device's key; it throws when that does not fit. */
  constructor(parts: {
    folder: string;
    unseal: (document: WireDocument) => JsonObject;
    logger: Logger;
  }) {
    this.#folder = parts.folder;
    this.#file = new AppendFile(`${parts.folder}/state.log`);
    this.#unseal = parts.unseal;
    this.#logger = parts.logger;
  }

  /** Loads what was saved; a broken end is cut off, a damaged log is kept beside a new one. */
  async open(): Promise<void> {
    await ensurePrivateFolder(this.#folder);
    const bytes = await this.#file.open(BEGINNING);
    const { commits, length, behind } = decodeCommits(bytes);
    if (commits.length === 0 || behind.length > 0) {
      await this.#beginAnew([...commits, ...behind]);
    } else {
      if (length < bytes.length) await this.#cut(bytes.length, length);
      for (const commit of commits) this.#apply(commit);
    }
    this.#compactFromBytes = this.#nextCompaction();
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  get isKnown(): boolean {
    return this.#mark !== undefined;
  }

  get mark(): DesiredMark {
    return this.#mark ?? NOTHING_YET;
  }

  get(key: string): DesiredDocument | undefined {
    const document = this.#documents.get(key);
    return document && this.#opened(document);
  }

  list(prefix: string): DesiredDocument[] {
    return this.#documents
      .keysWith(prefix)
      .sort()
      .flatMap((key) => this.get(key) ?? []);
  }

  /** Keys and versions of all documents, for hashes. */
  versions(): Map<string, string> {
    return new Map(Array.from(this.#documents.values(), ({ key, version }) => [key, version]));
  }

  versionOf(key: string): string | undefined {
    return this.#documents.get(key)?.version;
  }

  subscribe(listener: (keys: readonly string[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  podRecord(uid: string): JsonObject | undefined {
    return this.#records.get(uid);
  }

  async savePodRecord(uid: string, record: JsonObject | undefined): Promise<void> {
    await this.#save({ records: { [uid]: record ?? null } });
  }

  /** Durable when it resolves; subscribers have been told by then. */
  async saveDesired({ mark, puts, deletes }: DesiredChange): Promise<void> {
    await this.#save({ mark, puts: [...puts], deletes: [...deletes] });
  }

  /** Counts a start of the agent; the number has never been answered before. */
  async countStart(): Promise<number> {
    const starts = this.#starts + 1;
    await this.#save({ starts });
    return starts;
  }

  async #cut(from: number, to: number): Promise<void> {
    this.#logger.warn('the saved state ends in a broken write, which is dropped', {
      bytes: from - to,
    });
    await this.#file.truncate(to);
  }

  /** What whole lines say of the past is kept; what the master wants may have been in the others. */
  async #beginAnew(found: readonly Commit[]): Promise<void> {
    for (const { puts, deletes, mark, ...past } of found) this.#apply(past);
    const path = `${this.#folder}/state.log`;
    this.#logger.error(
      `${path} is damaged, and kept as state.log.damaged: pods stay as they are until the master says what shall run`,
    );
    await this.#file.setAside(`${path}.damaged`, await this.#everything());
  }

  #save(commit: Commit): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commit, resolve, reject });
      this.#writing ??= this.#writeAll().finally(() => {
        this.#writing = undefined;
      });
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        const commit = this.#whatChanges(batch.map(({ commit }) => commit));
        if (commit !== undefined) await this.#write(commit);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
  }

  async #write(commit: Commit): Promise<void> {
    await this.#file.append(encodeCommit(commit));
    const wasKnown = this.isKnown;
    const changed = this.#apply(commit);
    const isNews = changed.length > 0 || this.isKnown !== wasKnown;
    if (isNews) for (const listener of this.#listeners) this.#tell(listener, changed);
    if (this.#file.length > this.#compactFromBytes) await this.#compact();
  }

  #tell(listener: (keys: readonly string[]) => void, keys: readonly string[]): void {
    try {
      listener(keys);
    } catch (error) {
      // What is saved is saved: a listener's failure must not look like one of the disk.
      this.#logger.error('a listener of the saved state failed', { error: String(error) });
    }
  }

  /** One commit of several, without what is so already; undefined when nothing is left. */
  #whatChanges(commits: readonly Commit[]): Commit | undefined {
    const merged: Commit = {};
    const puts = new Map<string, WireDocument>();
    const deletes = new Set<string>();
    for (const commit of commits) {
      for (const key of commit.deletes ?? []) {
        puts.delete(key);
        if (this.#documents.has(key)) deletes.add(key);
      }
      for (const document of commit.puts ?? []) {
        deletes.delete(document.key);
        puts.set(document.key, document);
      }
      if (commit.mark !== undefined) merged.mark = commit.mark;
      if (commit.starts !== undefined) merged.starts = commit.starts;
    }
    const records = this.#changedRecords(commits);
    if (records !== undefined) merged.records = records;
    if (puts.size > 0) merged.puts = [...puts.values()];
    if (deletes.size > 0) merged.deletes = [...deletes];
    return Object.keys(merged).length === 0 ? undefined : merged;
  }

  #changedRecords(commits: readonly Commit[]): NonNullable<Commit['records']> | undefined {
    const latest = Object.assign({}, ...commits.map(({ records }) => records ?? {}));
    const changed = Object.entries(latest as NonNullable<Commit['records']>).filter(
      ([uid, record]) => JSON.stringify(record) !== JSON.stringify(this.#records.get(uid) ?? null),
    );
    return changed.length === 0 ? undefined : Object.fromEntries(changed);
  }

  /** The keys of the documents that changed. */
  #apply(commit: Commit): string[] {
    for (const key of commit.deletes ?? []) this.#documents.delete(key);
    for (const document of commit.puts ?? []) this.#documents.put(document);
    for (const [uid, record] of Object.entries(commit.records ?? {})) {
      if (record === null) this.#records.delete(uid);
      else this.#records.set(uid, record);
    }
    this.#mark = commit.mark ?? this.#mark;
    this.#starts = commit.starts ?? this.#starts;
    const changed = [...(commit.deletes ?? []), ...(commit.puts ?? []).map(({ key }) => key)];
    for (const key of changed) this.#unsealed.delete(key);
    return changed;
  }

  #opened(document: WireDocument): DesiredDocument | undefined {
    const { key, version, object, sealed } = document;
    if (sealed === undefined) return { key, version, object };
    if (!this.#unsealed.has(key)) this.#unsealed.set(key, this.#tryToOpen(document));
    return this.#unsealed.get(key);
  }

  #tryToOpen(document: WireDocument): DesiredDocument | undefined {
    const { key, version } = document;
    try {
      return { key, version, object: this.#unseal(document) };
    } catch (error) {
      this.#logger.error('a Secret is not sealed to this device', { key, error: String(error) });
      return undefined;
    }
  }

  async #compact(): Promise<void> {
    try {
      await this.#file.replace(await this.#everything());
    } catch (error) {
      this.#logger.warn('the saved state could not be rewritten', { error: String(error) });
    }
    this.#compactFromBytes = this.#nextCompaction();
  }

  /** In several lines, each made in a turn of its own, so that thousands of documents do not hold up everything else. */
  async #everything(): Promise<Buffer> {
    const documents = [...this.#documents.values()];
    const lines: Buffer[] = [];
    for (let from = 0; from < documents.length; from += DOCUMENTS_PER_LINE) {
      lines.push(encodeCommit({ puts: documents.slice(from, from + DOCUMENTS_PER_LINE) }));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const records = Object.fromEntries(this.#records);
    const mark = this.#mark && { mark: this.#mark };
    lines.push(encodeCommit({ ...mark, starts: this.#starts, records }));
    return Buffer.concat(lines);
  }

  #nextCompaction(): number {
    return Math.max(COMPACT_FROM_BYTES, this.#file.length * COMPACT_FACTOR);
  }
}
