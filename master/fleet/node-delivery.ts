import type { EpochMark, StateMark } from '../../shared/wire/desired-messages.ts';
import { type DocumentPlan, diffDocuments, type PlannedDocument } from './plan-documents.ts';

/** All that one node shall have, with its mark: its own documents and those that every node has. */
export interface MarkedPlan extends StateMark {
  /** Its own. */
  plan: DocumentPlan;
  /** The stateHash of these alone. */
  ownHash: string;
  /** The version of the shared documents (shared-documents.ts). */
  sharedVersion: number;
}

export type Delivery =
  | {
      kind: 'delta';
      base: StateMark;
      target: MarkedPlan;
      /** What differs of the node's own documents. */
      puts: PlannedDocument[];
      deletes: string[];
      /** The version of the shared documents that the node has. */
      sharedSince: number;
    }
  | { kind: 'snapshot'; replaces: EpochMark; target: MarkedPlan };

/**
 * What one node has and what it is to have; decides what to send it. Pure: no clock, nothing is sent here. Invariants: at most one
 * delivery is under way, and a delta starts from documents that the node itself said it has.
 */
export class NodeDelivery {
  #target: MarkedPlan;
  /** What the node said last. */
  #have: EpochMark | undefined;
  /** The documents behind `#have`, where they are known here. */
  #base: MarkedPlan | undefined;
  #underWay: MarkedPlan | undefined;

  constructor(target: MarkedPlan) {
    this.#target = target;
  }

  get target(): MarkedPlan {
    return this.#target;
  }

  setTarget(target: MarkedPlan): void {
    this.#target = target;
  }

  /** The node has said nothing yet, or what it said no longer counts: it must say hello first. */
  forgetHave(): void {
    this.#have = undefined;
    this.#underWay = undefined;
  }

  /** The node says what it has. `epoch` is the master's. True: it got somewhere since the last time. */
  heard(have: EpochMark, epoch: number, want?: 'snapshot'): boolean {
    const before = this.#have;
    const known = [this.#target, this.#underWay, this.#base].find((p) => p?.hash === have.hash);
    const usable = known && have.epoch === epoch && want === undefined;
    this.#have = have;
    this.#base = usable ? { ...known, generation: have.generation, hash: have.hash } : undefined;
    this.#underWay = undefined;
    return before === undefined || before.hash !== have.hash || before.epoch !== have.epoch;
  }

  /** The node has exactly the target. */
  get isSettled(): boolean {
    return this.#base !== undefined && this.#base.hash === this.#target.hash;
  }

  /** Whether the node would have to say or be sent something. */
  get isWaiting(): boolean {
    return this.#underWay !== undefined || this.#have === undefined;
  }

  /** Whether this delivery is still the one that is under way. */
  isUnderWay(target: MarkedPlan): boolean {
    return this.#underWay === target;
  }

  /** What to send now, which is then under way; undefined when nothing is missing or something is under way. `knowsSince`: whether it is
   * known which of the shared documents changed since that version. */
  next(knowsSince: (sharedVersion: number) => boolean): Delivery | undefined {
    if (this.isSettled || this.isWaiting || this.#have === undefined) return undefined;
    this.#underWay = this.#target;
    if (!this.#base || !knowsSince(this.#base.sharedVersion))
      return { kind: 'snapshot', replaces: this.#have, target: this.#target };
    const { plan, generation, hash, sharedVersion } = this.#base;
    const changes = diffDocuments(plan, this.#target.plan);
    return {
      kind: 'delta',
      base: { generation, hash },
      target: this.#target,
      ...changes,
      sharedSince: sharedVersion,
    };
  }
}
