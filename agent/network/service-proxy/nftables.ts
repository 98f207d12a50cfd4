import type { Logger } from '../../../shared/logger.ts';
import { CommandError, type RunCommand, runCommand } from '../../host/command.ts';
import { type Counts, NftChange } from './nft-change.ts';
import {
  baseTable,
  EMPTY_FRAGMENT,
  type Fragment,
  nodeFragment,
  serviceFragment,
} from './nft-rules.ts';
import { firstDifference, fullText, type NftTable, parseTable } from './nft-table.ts';
import type { ProxyBackend } from './proxy-backend.ts';
import type { NodePlan, ProxyPlan, ServicePlan } from './proxy-plan.ts';
import { UdpFlows } from './udp-flows.ts';

/** A table of 5,000 services is 1.5 MB as text, one with all the clients it may remember 8 MB more. */
const LISTING_BYTES = 64 * 1024 * 1024;
const NFT_TIMEOUT_MS = 60_000;

/**
 * Services in the kernel: one private table `ip skerry-<agent id>`. The first load replaces the table in one transaction; after that each
 * change is a small one. Every change also replaces the number in the set `stamp`, so it fails as a whole when the table was flushed,
 * removed or restored from an old copy by somebody else: then everything is loaded anew. That costs nothing, where `nft monitor` would
 * be a process that stays (3 MB, woken by every rule of every other program); what no change meets, `verify` finds. The rules are in
 * force when nft has committed; its process ends later, after a grace period of the kernel (RCU: 10 ms, on a busy machine up to a second).
 */
export class NftablesBackend implements ProxyBackend {
  readonly name = 'nftables';
  readonly #table: string;
  readonly #run: RunCommand;
  readonly #log: Logger;
  readonly #flows: UdpFlows;
  #loaded: Loaded | undefined;
  /** A look without a difference has shown that this nft prints rules as they are written. */
  #printsAsWritten = false;

  /** `run` runs nft and conntrack; another one may run them in another network namespace. */
  constructor(parts: { agentId: string; log: Logger; run?: RunCommand }) {
    this.#table = `skerry-${parts.agentId}`;
    this.#run = parts.run ?? runCommand;
    this.#log = parts.log;
    this.#flows = new UdpFlows({ run: this.#run, log: parts.log });
  }

  async apply(plan: ProxyPlan): Promise<void> {
    const before = this.#loaded;
    // The base chains depend on the node's facts, and so do chains of services.
    if (before === undefined || !sameBase(before.node, plan.node)) await this.#load(plan);
    else await this.#change(before, plan);
    await this.#flows.follow(plan);
  }

  async verify(thorough: boolean): Promise<boolean> {
    const loaded = this.#loaded;
    if (loaded === undefined) return false;
    const problem = thorough ? await this.#readBack(loaded) : await this.#glance(loaded);
    if (problem === undefined) return true;
    this.#log.warn('the table of services was changed by somebody else', { problem });
    this.#loaded = undefined;
    return false;
  }

  async purge(): Promise<void> {
    this.#loaded = undefined;
    await this.#nft(`table ip ${this.#table}\ndelete table ip ${this.#table}\n`);
  }

  async #load(plan: ProxyPlan): Promise<void> {
    if (this.#loaded === undefined && (await this.#adopt(plan))) return;
    await this.#replace(plan);
  }

  async #replace(plan: ProxyPlan): Promise<void> {
    this.#loaded = undefined;
    const next = loadedFrom(plan, 1);
    await this.#nft(fullText(this.#table, wholeTable(next)));
    this.#loaded = next;
    this.#log.info('services loaded', { services: plan.services.size, table: this.#table });
  }

  /** A table that says what is wanted is left as it is: an agent that starts again forgets no client's affinity. */
  async #adopt(plan: ProxyPlan): Promise<boolean> {
    const found = await this.#list();
    const stamp = found?.sets.get('stamp')?.elements.keys().next().value;
    if (found === undefined || stamp === undefined) return false;
    const next = loadedFrom(plan, Number(stamp));
    if (firstDifference(wholeTable(next), found) !== undefined) return false;
    this.#printsAsWritten = true;
    this.#loaded = next;
    this.#log.info('services found as they were', { services: next.fragments.size });
    return true;
  }

  /** `loaded` is changed in place: when the kernel did not take it, it is dropped. */
  async #change(loaded: Loaded, plan: ProxyPlan): Promise<void> {
    const change = new NftChange(loaded.counts);
    const { fragments } = loaded;
    this.#loaded = undefined;
    for (const [key, service] of plan.services) {
      const old = fragments.get(key);
      if (old?.service === service) continue;
      const fragment = serviceFragment(service, plan.node);
      change.replace(old?.fragment ?? EMPTY_FRAGMENT, fragment);
      fragments.set(key, { service, fragment });
    }
    for (const [key, { fragment }] of fragments) {
      if (plan.services.has(key)) continue;
      change.replace(fragment, EMPTY_FRAGMENT);
      fragments.delete(key);
    }
    if (loaded.node !== plan.node) {
      const ofNode = nodeFragment(plan.node);
      change.replace(loaded.nodeFragment, ofNode);
      loaded.nodeFragment = ofNode;
      loaded.node = plan.node;
    }
    if (!change.isEmpty) {
      const stamp = nextStamp(loaded.stamp);
      try {
        await this.#nft(this.#stampText(loaded.stamp, stamp) + change.text(this.#table));
      } catch (error) {
        if (!(error instanceof CommandError) || error.failure !== 'exit') throw error;
        this.#log.warn('a change of services was refused: all are loaded anew', {
          problem: error.message,
        });
        await this.#replace(plan);
        return;
      }
      loaded.stamp = stamp;
    }
    this.#loaded = loaded;
  }

  #stampText(before: number, after: number): string {
    const of = `element ip ${this.#table} stamp`;
    return `delete ${of} { ${hex(before)} }\nadd ${of} { ${hex(after)} }\n`;
  }

  /** Sees a table that is gone, empty or somebody's copy; some 5 ms. */
  async #glance(loaded: Loaded): Promise<string | undefined> {
    const list = ['stamp', 'nat-prerouting'].map((name) =>
      name === 'stamp'
        ? `list set ip ${this.#table} stamp`
        : `list chain ip ${this.#table} ${name}`,
    );
    const result = await this.#run('nft', ['-s', '-nn', '-f', '-'], {
      input: `${list.join('\n')}\n`,
      allowFailure: true,
      timeoutMs: NFT_TIMEOUT_MS,
    });
    if (result.exitCode !== 0) return 'the table is gone';
    if (!result.stdout.includes(hex(loaded.stamp)))
      return 'the table is not the one that was loaded';
    return result.stdout.includes('jump translate') ? undefined : 'the rules are gone';
  }

  async #readBack(loaded: Loaded): Promise<string | undefined> {
    const found = await this.#list();
    if (found === undefined) return 'the table is gone';
    const difference = firstDifference(wholeTable(loaded), found);
    if (difference === undefined) this.#printsAsWritten = true;
    // An nft that prints otherwise than it reads would make every look a repair.
    else if (!this.#printsAsWritten) return await this.#glance(loaded);
    return difference;
  }

  async #list(): Promise<NftTable | undefined> {
    const result = await this.#run('nft', ['-s', '-nn', 'list', 'table', 'ip', this.#table], {
      allowFailure: true,
      maxBufferBytes: LISTING_BYTES,
      timeoutMs: NFT_TIMEOUT_MS,
    });
    return result.exitCode === 0 ? parseTable(result.stdout) : undefined;
  }

  async #nft(input: string): Promise<void> {
    const options = { input, timeoutMs: NFT_TIMEOUT_MS };
    try {
      await this.#run('nft', ['-f', '-'], options);
    } catch (error) {
      // nft points at the place with a line of arrows: the sentence stands above.
      const line = error instanceof CommandError && /.*Error: .*/.exec(error.stderr)?.[0];
      if (!line || !(error instanceof CommandError)) throw error;
      throw new CommandError(error.failure, `nft: ${line}`, error);
    }
  }
}

/** What the kernel holds, as far as is known. */
interface Loaded {
  node: NodePlan;
  nodeFragment: Fragment;
  fragments: Map<string, Planned>;
  counts: Counts;
  stamp: number;
}

interface Planned {
  service: ServicePlan;
  fragment: Fragment;
}

function loadedFrom(plan: ProxyPlan, stamp: number): Loaded {
  const fragments = new Map<string, Planned>();
  for (const service of plan.services.values()) {
    const fragment = serviceFragment(service, plan.node);
    fragments.set(service.key, { service, fragment });
  }
  const counts: Counts = new Map();
  const loaded: Loaded = {
    node: plan.node,
    nodeFragment: nodeFragment(plan.node),
    fragments,
    counts,
    stamp,
  };
  const change = new NftChange(counts);
  for (const fragment of allFragments(loaded)) change.replace(EMPTY_FRAGMENT, fragment);
  return loaded;
}

function* allFragments(loaded: Loaded): Generator<Fragment> {
  yield loaded.nodeFragment;
  for (const { fragment } of loaded.fragments.values()) yield fragment;
}

function wholeTable(loaded: Loaded): NftTable {
  const table = baseTable(loaded.node);
  table.sets.get('stamp')?.elements.set(hex(loaded.stamp), '');
  for (const { chains, elements } of allFragments(loaded)) {
    for (const [name, rules] of chains) table.chains.set(name, { hook: undefined, rules });
    for (const { set, key, value } of elements) {
      table.sets.get(set)?.elements.set(key, value);
    }
  }
  return table;
}

function sameBase(left: NodePlan, right: NodePlan): boolean {
  return (
    left.nodeIp === right.nodeIp &&
    left.podCidr === right.podCidr &&
    left.clusterCidr === right.clusterCidr
  );
}

/** nft prints marks as eight hexadecimal digits. */
function hex(stamp: number): string {
  return `0x${stamp.toString(16).padStart(8, '0')}`;
}

function nextStamp(stamp: number): number {
  return (stamp % 0x7fffffff) + 1;
}
