import { SKERRY_VERSION } from '../../shared/version.ts';
import {
  type Applied,
  type Delta,
  type EpochMark,
  type Hello,
  type SnapshotMessage,
  stateHash,
  type WireDocument,
} from '../../shared/wire/desired-messages.ts';
import type { MessageHeader } from '../../shared/wire/frame.ts';
import { sha256Hex } from './node-crypto.ts';

type Answer = { kind: 'hello'; body: Hello } | { kind: 'applied'; body: Applied };

/** The rules by which a node takes desired state, without disk and connection: for tests of the master's side. */
export class SimulatedAgent {
  readonly documents = new Map<string, WireDocument>();
  have: EpochMark = { epoch: 0, generation: 0, hash: stateHash([], sha256Hex) };
  /** The documents of the parts that came, of the generation and hash that came last. */
  #parts: { of: string; documents: WireDocument[] } = { of: '', documents: [] };
  readonly #answer: (answer: Answer) => void;

  constructor(answer: (answer: Answer) => void) {
    this.#answer = answer;
  }

  hello(want?: 'snapshot'): void {
    const body: Hello = { have: this.have, capabilities: [], release: SKERRY_VERSION };
    this.#answer({ kind: 'hello', body: want ? { ...body, want } : body });
  }

  receive(header: Pick<MessageHeader, 'kind' | 'epoch' | 'generation'>, body: object): void {
    if (header.kind === 'head') this.#head(header, (body as { hash: string }).hash);
    if (header.kind === 'delta') {
      const delta = body as Delta;
      const puts = this.#whole(header, delta, delta.puts);
      if (puts) this.#delta(header, { ...delta, puts });
    }
    if (header.kind === 'snapshot') {
      const snapshot = body as SnapshotMessage;
      const documents = this.#whole(header, snapshot, snapshot.documents);
      if (documents) this.#snapshot(header, { ...snapshot, documents });
    }
  }

  #whole(
    { generation }: { generation: number },
    { hash, part }: Delta | SnapshotMessage,
    documents: WireDocument[],
  ): WireDocument[] | undefined {
    if (part === undefined) return documents;
    const of = `${generation} ${hash}`;
    if (part.index === 0) this.#parts = { of, documents: [] };
    if (this.#parts.of !== of) return undefined;
    this.#parts.documents.push(...documents);
    return part.last ? this.#parts.documents : undefined;
  }

  #head({ epoch }: { epoch: number }, hash: string): void {
    if (epoch === this.have.epoch && hash === this.have.hash) this.#applied();
    else this.hello();
  }

  #delta(header: { epoch: number; generation: number }, delta: Delta): void {
    if (delta.hash === this.have.hash && header.epoch === this.have.epoch) {
      this.#applied();
      return;
    }
    const next = new Map(this.documents);
    for (const key of delta.deletes) next.delete(key);
    for (const document of delta.puts) next.set(document.key, document);
    const fits = delta.base.hash === this.have.hash && header.epoch === this.have.epoch;
    if (!fits || stateHash(next.values(), sha256Hex) !== delta.hash) {
      this.hello();
      return;
    }
    this.#save(header, next);
  }

  #snapshot(header: { epoch: number; generation: number }, snapshot: SnapshotMessage): void {
    const next = new Map(snapshot.documents.map((document) => [document.key, document]));
    const isForward =
      header.epoch > this.have.epoch ||
      (header.epoch === this.have.epoch && header.generation >= this.have.generation);
    const { epoch, generation, hash } = snapshot.replaces;
    const isKnown =
      epoch === this.have.epoch && generation === this.have.generation && hash === this.have.hash;
    if (!isForward && !isKnown) {
      this.hello();
      return;
    }
    if (stateHash(next.values(), sha256Hex) !== snapshot.hash) {
      this.hello('snapshot');
      return;
    }
    this.#save(header, next);
  }

  #save(
    { epoch, generation }: { epoch: number; generation: number },
    next: Map<string, WireDocument>,
  ): void {
    this.documents.clear();
    for (const [key, document] of next) this.documents.set(key, document);
    this.have = { epoch, generation, hash: stateHash(next.values(), sha256Hex) };
    this.#applied();
  }

  #applied(): void {
    this.#answer({ kind: 'applied', body: { have: this.have } });
  }
}
