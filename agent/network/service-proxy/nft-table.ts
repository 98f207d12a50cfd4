/**
 * An nftables table as data, and its text. Rules are written exactly as `nft -s -nn list` prints them, so that what the kernel holds can
 * be compared with what was meant.
 */
export interface NftTable {
  sets: Map<string, NftSet>;
  chains: Map<string, NftChain>;
}

export interface NftSet {
  /** `set` or `map`, and its attributes, one a line: `type ipv4_addr . inet_service : verdict`. */
  kind: 'set' | 'map';
  attributes: readonly string[];
  /** Filled by packets: its elements belong to nobody's plan. */
  isDynamic: boolean;
  /** Key to value; the value of a set's element is ''. */
  elements: Map<string, string>;
}

export interface NftChain {
  /** `type nat hook output priority -100; policy accept;`; undefined for a chain that is only jumped to. */
  hook: string | undefined;
  rules: readonly string[];
}

/** The whole table, in place of whatever has its name; one transaction. */
export function fullText(name: string, table: NftTable): string {
  const lines = [`table ip ${name}`, `delete table ip ${name}`, `table ip ${name} {`];
  for (const [set, { kind, attributes, elements }] of table.sets) {
    lines.push(`${kind} ${set} {`, ...attributes);
    if (elements.size > 0) {
      lines.push(`elements = { ${[...elements].map(elementText).join(', ')} }`);
    }
    lines.push('}');
  }
  for (const [chain, { hook, rules }] of table.chains) {
    lines.push(`chain ${chain} {`, ...(hook === undefined ? [] : [hook]), ...rules, '}');
  }
  lines.push('}', '');
  return lines.join('\n');
}

function elementText([key, value]: readonly [string, string]): string {
  return value === '' ? key : `${key} : ${value}`;
}

/** Reads the output of `nft -s -nn list table ip NAME`. */
export function parseTable(text: string): NftTable {
  const table: NftTable = { sets: new Map(), chains: new Map() };
  for (const [, kind = '', name = '', body = ''] of text.matchAll(
    /^\t(set|map|chain) (\S+) \{\n([\s\S]*?)^\t\}$/gm,
  )) {
    if (kind === 'chain') table.chains.set(name, parseChain(body));
    else table.sets.set(name, parseSet(kind === 'map' ? 'map' : 'set', body));
  }
  return table;
}

function parseChain(body: string): NftChain {
  const lines = linesOf(body);
  const hook = lines[0]?.startsWith('type ') ? lines[0] : undefined;
  return { hook, rules: hook === undefined ? lines : lines.slice(1) };
}

function parseSet(kind: 'set' | 'map', body: string): NftSet {
  const start = body.indexOf('elements = {');
  const attributes = linesOf(start < 0 ? body : body.slice(0, start));
  const isDynamic = attributes.some((line) => /^flags .*dynamic/.test(line));
  const elements = new Map<string, string>();
  if (start >= 0 && !isDynamic) {
    const inner = body.slice(body.indexOf('{', start) + 1, body.lastIndexOf('}'));
    for (const element of inner.split(',')) {
      const [key = '', value = ''] = element.trim().split(' : ');
      elements.set(key, value);
    }
  }
  return { kind, attributes, isDynamic, elements };
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** The first difference that is found, as a sentence; undefined when both are the same. Order means nothing but within a chain. */
export function firstDifference(wanted: NftTable, found: NftTable): string | undefined {
  return (
    differenceOfSets(wanted.sets, found.sets) ?? differenceOfChains(wanted.chains, found.chains)
  );
}

function differenceOfSets(
  wanted: ReadonlyMap<string, NftSet>,
  found: ReadonlyMap<string, NftSet>,
): string | undefined {
  for (const name of found.keys()) if (!wanted.has(name)) return `set ${name} is foreign`;
  for (const [name, want] of wanted) {
    const have = found.get(name);
    if (have === undefined) return `set ${name} is missing`;
    if ([...want.attributes].sort().join() !== [...have.attributes].sort().join()) {
      return `set ${name} is of another type`;
    }
    if (want.isDynamic) continue;
    for (const key of have.elements.keys()) {
      if (!want.elements.has(key)) return `element ${key} of ${name} is foreign`;
    }
    for (const [key, value] of want.elements) {
      if (have.elements.get(key) !== value) return `element ${key} of ${name} is missing`;
    }
  }
  return undefined;
}

function differenceOfChains(
  wanted: ReadonlyMap<string, NftChain>,
  found: ReadonlyMap<string, NftChain>,
): string | undefined {
  for (const name of found.keys()) if (!wanted.has(name)) return `chain ${name} is foreign`;
  for (const [name, want] of wanted) {
    const have = found.get(name);
    if (have === undefined) return `chain ${name} is missing`;
    if (want.hook !== have.hook) return `chain ${name} is hooked elsewhere`;
    if (want.rules.join('\n') !== have.rules.join('\n')) return `chain ${name} has other rules`;
  }
  return undefined;
}
