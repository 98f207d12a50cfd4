import type { Element, Fragment } from './nft-rules.ts';

/** How many fragments hold a chain, or put an element into its set: two services with one pod share its hairpin. */
export type Counts = Map<string, number>;

/**
 * Collects what changes from some fragments to others, and its text: one transaction. Order matters to the kernel: what is referred to
 * comes before what refers to it, and goes after it.
 */
export class NftChange {
  readonly #counts: Counts;
  readonly #newChains = new Set<string>();
  readonly #oldChains = new Set<string>();
  readonly #rules = new Map<string, readonly string[]>();
  readonly #gone = new Map<string, Element>();
  readonly #come = new Map<string, Element>();

  /** `counts` is kept up to date: hand in a copy if the change may fail. */
  constructor(counts: Counts) {
    this.#counts = counts;
  }

  /** All replacements of one change must be told before `text` is asked for. */
  replace(before: Fragment, after: Fragment): void {
    for (const name of before.chains.keys()) this.#countChain(name, -1);
    for (const [name, rules] of after.chains) {
      const old = before.chains.get(name);
      const isNew = this.#countChain(name, 1);
      if (isNew || (old !== undefined && !sameRules(old, rules))) this.#rules.set(name, rules);
    }
    for (const element of before.elements) this.#count(element, -1);
    for (const element of after.elements) this.#count(element, 1);
  }

  /** Answers whether the chain has to be made. */
  #countChain(name: string, by: 1 | -1): boolean {
    const id = `chain ${name}`;
    const before = this.#counts.get(id) ?? 0;
    const after = before + by;
    if (after === 0) this.#counts.delete(id);
    else this.#counts.set(id, after);
    if (after === 0 && !this.#newChains.delete(name)) this.#oldChains.add(name);
    if (after === 0) this.#rules.delete(name);
    if (before > 0 || by < 0 || this.#oldChains.delete(name)) return false;
    this.#newChains.add(name);
    return true;
  }

  #count(element: Element, by: 1 | -1): void {
    const id = `${element.set} ${element.key} ${element.value}`;
    const before = this.#counts.get(id) ?? 0;
    const after = before + by;
    if (after === 0) this.#counts.delete(id);
    else this.#counts.set(id, after);
    if (by < 0 && after === 0 && !this.#come.delete(id)) this.#gone.set(id, element);
    if (by > 0 && before === 0 && !this.#gone.delete(id)) this.#come.set(id, element);
  }

  get isEmpty(): boolean {
    const parts = [this.#newChains, this.#oldChains];
    return [...parts, this.#rules, this.#gone, this.#come].every(({ size }) => size === 0);
  }

  /** Commands for `nft -f`. */
  text(table: string): string {
    const lines: string[] = [];
    const elements = (verb: 'add' | 'delete', all: Iterable<Element>) => {
      for (const [set, keys] of bySet(verb, all)) {
        lines.push(`${verb} element ip ${table} ${set} { ${keys.join(', ')} }`);
      }
    };
    elements('delete', this.#gone.values());
    for (const chain of this.#newChains) lines.push(`add chain ip ${table} ${chain}`);
    for (const chain of this.#rules.keys()) {
      if (!this.#newChains.has(chain)) lines.push(`flush chain ip ${table} ${chain}`);
    }
    for (const chain of this.#oldChains) lines.push(`flush chain ip ${table} ${chain}`);
    for (const [chain, rules] of this.#rules) {
      for (const rule of rules) lines.push(`add rule ip ${table} ${chain} ${rule}`);
    }
    elements('add', this.#come.values());
    for (const chain of this.#oldChains) lines.push(`delete chain ip ${table} ${chain}`);
    return `${lines.join('\n')}\n`;
  }
}

function bySet(verb: 'add' | 'delete', all: Iterable<Element>): Map<string, string[]> {
  const sets = new Map<string, string[]>();
  for (const { set, key, value } of all) {
    const keys = sets.get(set) ?? [];
    keys.push(verb === 'delete' || value === '' ? key : `${key} : ${value}`);
    sets.set(set, keys);
  }
  return sets;
}

function sameRules(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((rule, index) => rule === right[index]);
}
