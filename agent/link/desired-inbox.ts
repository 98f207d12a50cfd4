import type { Logger } from '../../shared/logger.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { decodeBody } from '../../shared/wire/body.ts';
import {
  type Applied,
  type Delta,
  type EpochMark,
  type Hello,
  readDelta,
  readHead,
  readSnapshot,
  type SnapshotMessage,
  stateHash,
  toggleInHash,
  type WireDocument,
} from '../../shared/wire/desired-messages.ts';
import type { MessageHeader } from '../../shared/wire/frame.ts';
import type { Message } from '../../shared/wire/message-assembler.ts';
import type { DesiredMark } from '../state/commit.ts';
import { sha256Hex } from './node-crypto.ts';
import { PartCollector } from './part-collector.ts';

const HELLO_EVERY_MS = { from: 5 * 60_000, to: 10 * 60_000 };
/** Between two requests for what is missing: doubles while nothing helps. */
const ASK_EVERY_MS = { first: 1000, max: 60_000 };

/** Where the desired state is kept; DiskState is one. */
export interface DesiredStore {
  /** Its hash is that of the documents. */
  readonly mark: DesiredMark;
  /** Version by key. */
  versions(): Map<string, string>;
  versionOf(key: string): string | undefined;
  /** Durable when it resolves. */
  saveDesired(change: {
    mark: DesiredMark;
    puts: readonly WireDocument[];
    deletes: readonly string[];
  }): Promise<void>;
}

export interface InboxOptions {
  store: DesiredStore;
  /** Sends on `ack`. */
  send: (message: { kind: 'hello'; body: Hello } | { kind: 'applied'; body: Applied }) => void;
  /** A higher epoch was saved: the master may have forgotten what was reported. */
  onEpoch: () => void;
  release: string;
  clock: Clock;
  random: () => number;
  logger: Logger;
}

/**
 * What the node shall run, as it comes in. Invariants: one change at a time; it is on disk before it is acknowledged; a delta applies
 * only to the state that it was made from and only if it leads to the hash that it names; the state goes back (epoch, term or
 * generation) only where the master shows that it knows what it replaces.
 */
export class DesiredInbox {
  readonly #options: InboxOptions;
  readonly #parts = new PartCollector();
  #work: Promise<void> = Promise.resolve();
  #connected = false;
  #cancelHello = () => {};
  #cancelAsk: (() => void) | undefined;
  #askDelayMs = 0;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  connected(): void {
    this.#connected = true;
    // The hello asks already; the retained head, which comes about now, shall not make it ask twice.
    this.#askDelayMs = ASK_EVERY_MS.first;
    this.#hello();
  }

  disconnected(): void {
    this.#connected = false;
    this.#parts.reset();
    this.#cancelHello();
    this.#dropAsk();
  }

  /** Resolves when everything that came so far is saved or refused. */
  settled(): Promise<void> {
    return this.#work;
  }

  /** Takes a `head`, `delta` or `snapshot`. */
  receive({ header, body }: Message): void {
    this.#work = this.#work.then(async () => {
      try {
        await this.#take(header, decodeBody(body));
      } catch (error) {
        this.#options.logger.error('a desired state could not be taken', {
          kind: header.kind,
          generation: header.generation,
          error: String(error),
        });
        this.#askForSnapshot();
      }
    });
  }

  async #take(header: MessageHeader, body: ReturnType<typeof decodeBody>): Promise<void> {
    switch (header.kind) {
      case 'head':
        return this.#takeHead(header, readHead(body).hash);
      case 'delta':
        return this.#takeDelta(header, this.#wholeDelta(header, readDelta(body)));
      case 'snapshot':
        return this.#takeSnapshot(header, this.#wholeSnapshot(header, readSnapshot(body)));
      default:
        return;
    }
  }

  #wholeDelta(header: MessageHeader, delta: Delta): Delta | undefined {
    const puts = this.#parts.add(partsOf(header, delta.hash), delta.part, delta.puts);
    return puts && { ...delta, puts };
  }

  #wholeSnapshot(header: MessageHeader, message: SnapshotMessage): SnapshotMessage | undefined {
    const of = partsOf(header, message.hash);
    const documents = this.#parts.add(of, message.part, message.documents);
    return documents && { ...message, documents };
  }

  #takeHead(header: MessageHeader, hash: string): void {
    const { mark } = this.#options.store;
    if (header.term < mark.term || header.epoch < mark.epoch) return;
    if (hash !== mark.hash || header.epoch !== mark.epoch) this.#ask({});
    // Whoever made the head may have lost that we have it.
    else this.#acknowledge();
  }

  async #takeDelta(header: MessageHeader, delta: Delta | undefined): Promise<void> {
    if (delta === undefined) return;
    const { mark } = this.#options.store;
    if (header.term < mark.term || header.epoch < mark.epoch) return;
    if (delta.hash === mark.hash && header.epoch === mark.epoch) return this.#acknowledge();
    const fits =
      delta.base.hash === mark.hash &&
      (header.epoch > mark.epoch || header.generation >= mark.generation) &&
      this.#hashAfter(delta) === delta.hash;
    if (!fits) return this.#askForSnapshot();
    await this.#save(markOf(header, delta.hash), delta.puts, delta.deletes);
  }

  async #takeSnapshot(header: MessageHeader, snapshot: SnapshotMessage | undefined): Promise<void> {
    if (snapshot === undefined) return;
    const { mark } = this.#options.store;
    if (!goesForward(header, mark) && !isMark(snapshot.replaces, mark)) {
      this.#options.logger.warn('refused a desired state that is older than ours', {
        epoch: header.epoch,
        generation: header.generation,
        ours: mark.generation,
      });
      return this.#ask({});
    }
    const wanted = new Map(snapshot.documents.map(({ key, version }) => [key, version]));
    if (hashOf(wanted) !== snapshot.hash) return this.#askForSnapshot();
    const present = this.#options.store.versions();
    await this.#save(
      markOf(header, snapshot.hash),
      snapshot.documents.filter(({ key, version }) => present.get(key) !== version),
      [...present.keys()].filter((key) => !wanted.has(key)),
    );
  }

  /** Of the documents that the delta leads to: costs what changes, whatever else is there. */
  #hashAfter({ puts, deletes }: Delta): string {
    const { store } = this.#options;
    const changed = new Map<string, string | undefined>();
    for (const key of deletes) changed.set(key, undefined);
    for (const { key, version } of puts) changed.set(key, version);
    const toggled: { key: string; version: string }[] = [];
    for (const [key, version] of changed) {
      const before = store.versionOf(key);
      if (before === version) continue;
      if (before !== undefined) toggled.push({ key, version: before });
      if (version !== undefined) toggled.push({ key, version });
    }
    return toggleInHash(store.mark.hash, toggled, sha256Hex);
  }

  async #save(
    mark: DesiredMark,
    puts: readonly WireDocument[],
    deletes: readonly string[],
  ): Promise<void> {
    const before = this.#options.store.mark;
    await this.#options.store.saveDesired({ mark, puts, deletes });
    this.#askDelayMs = 0;
    this.#dropAsk();
    this.#options.logger.debug('saved a desired state', {
      generation: mark.generation,
      changed: puts.length,
      removed: deletes.length,
    });
    this.#acknowledge();
    if (before.epoch > 0 && mark.epoch > before.epoch) this.#options.onEpoch();
  }

  #acknowledge(): void {
    this.#options.send({ kind: 'applied', body: { have: this.#have() } });
  }

  /** Says what we have, now and every few minutes: whatever was lost before, this brings it back. */
  #hello(asked: Pick<Hello, 'want'> = {}): void {
    if (!this.#connected) return;
    const { clock, random, release, send } = this.#options;
    send({ kind: 'hello', body: { have: this.#have(), ...asked, capabilities: [], release } });
    this.#cancelHello();
    const delayMs = HELLO_EVERY_MS.from + random() * (HELLO_EVERY_MS.to - HELLO_EVERY_MS.from);
    this.#cancelHello = clock.after(delayMs, () => this.#hello());
  }

  #askForSnapshot(): void {
    this.#ask({ want: 'snapshot' });
  }

  /** One request at a time, ever slower: a state that never fits must not keep the link busy. */
  #ask(asked: Pick<Hello, 'want'>): void {
    if (this.#cancelAsk !== undefined || !this.#connected) return;
    const delayMs = this.#askDelayMs;
    this.#askDelayMs = Math.min(ASK_EVERY_MS.max, Math.max(ASK_EVERY_MS.first, delayMs * 2));
    if (delayMs === 0) {
      this.#hello(asked);
      return;
    }
    this.#cancelAsk = this.#options.clock.after(delayMs, () => {
      this.#cancelAsk = undefined;
      this.#hello(asked);
    });
  }

  #dropAsk(): void {
    this.#cancelAsk?.();
    this.#cancelAsk = undefined;
  }

  #have(): EpochMark {
    const { epoch, generation, hash } = this.#options.store.mark;
    return { epoch, generation, hash };
  }
}

function markOf(header: MessageHeader, hash: string): DesiredMark {
  return { epoch: header.epoch, term: header.term, generation: header.generation, hash };
}

function partsOf({ kind, epoch, term, generation, session }: MessageHeader, hash: string): string {
  return [kind, session, epoch, term, generation, hash].join('|');
}

function goesForward(header: MessageHeader, mark: DesiredMark): boolean {
  if (header.term < mark.term) return false;
  if (header.epoch !== mark.epoch) return header.epoch > mark.epoch;
  return header.generation >= mark.generation;
}

function isMark(left: EpochMark, right: EpochMark): boolean {
  return (
    left.epoch === right.epoch && left.generation === right.generation && left.hash === right.hash
  );
}

function hashOf(versions: ReadonlyMap<string, string>): string {
  const documents = Array.from(versions, ([key, version]) => ({ key, version }));
  return stateHash(documents, sha256Hex);
}
