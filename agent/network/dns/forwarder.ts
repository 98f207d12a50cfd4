import type { Logger } from '../../../shared/logger.ts';
import type { Clock } from '../../../shared/reconcile/clock.ts';
import type { Exchange, PeerAddress } from '../../host/exchange.ts';
import {
  decodeMessage,
  encodeForwardedQuery,
  encodeQuestion,
  encodeResponse,
  type Query,
  type Question,
  RCODE,
} from './packet.ts';
import type { ZoneRecord } from './records.ts';
import type { Upstreams } from './responder.ts';
import { type CachedMessage, UpstreamCache } from './upstream-cache.ts';
import {
  lifetimeSeconds,
  lowerCaseQuestion,
  renderUpstream,
  type UpstreamMessage,
} from './upstream-message.ts';
import { type UpstreamQuestion, UpstreamServer } from './upstream-server.ts';

export interface ForwarderParts {
  clock: Clock;
  /** An unpredictable number below 65,536. */
  randomId: () => number;
  datagrams: Exchange;
  streams: Exchange;
  log: Logger;
  /** Questions asked of other servers at one time; more are refused. 256 if absent. */
  maxInFlight?: number;
  /** 4,000 and 2 MiB if absent. */
  cache?: { maxEntries: number; maxBytes: number };
}

const DEFAULT_MAX_IN_FLIGHT = 256;
const DEFAULT_CACHE = { maxEntries: 4000, maxBytes: 2 * 1024 * 1024 };
/** Nothing is believed for longer without asking again. */
const LONGEST_LIFE_MS = 3_600_000;
/** For how long an answer may stand in for servers that are away, and what a client may keep of it (RFC 8767 §4, §5). */
const STALE_MS = 86_400_000;
const STALE_TTL_SECONDS = 30;
/** How long a client that could have an old answer waits for a new one (RFC 8767 §5, the client response timer). */
const PATIENCE_MS = 1800;
/** No real server knows names below `.invalid` (RFC 6761). */
const PROBE_DOMAIN = 'dns-loop.skerry.invalid';

/**
 * Asks the node's own name servers for names that are not the cluster's, and remembers what they say. When they are away, it says so
 * at once (one question at a time looks whether they are back), and names that are remembered are still answered.
 */
export class Forwarder implements Upstreams {
  readonly #parts: ForwarderParts;
  readonly #cache: UpstreamCache;
  readonly #inFlight = new Map<string, Promise<UpstreamMessage | undefined>>();
  readonly #probes = new Map<string, UpstreamServer>();
  #servers: UpstreamServer[] = [];

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
    this.#cache = new UpstreamCache(parts.cache ?? DEFAULT_CACHE);
  }

  /**
   * Asks these from now on, in their order. Each is sent a name that only this server can know of: whoever sends that back to us
   * would send everything in a circle, and is asked no more.
   */
  setServers(peers: readonly PeerAddress[]): void {
    const { clock, randomId, datagrams, streams } = this.#parts;
    this.#servers = peers.map(
      (peer) => new UpstreamServer({ peer, clock, randomId, datagrams, streams }),
    );
    this.#probes.clear();
    for (const server of this.#servers) this.#probe(server);
  }

  /** Where questions go at present. */
  get servers(): PeerAddress[] {
    return this.#servers.map(({ peer }) => peer);
  }

  async resolve(
    query: Query,
    question: Question,
    aliases: readonly ZoneRecord[],
    limitBytes: number,
  ): Promise<Buffer | undefined> {
    if (this.#isOwnProbe(question.name)) return undefined;
    const asked: UpstreamQuestion = {
      bytes:
        aliases.length === 0 ? lowerCaseQuestion(query.questionBytes) : encodeQuestion(question),
      dnssecOk: query.edns?.dnssecOk ?? false,
      checkingDisabled: query.checkingDisabled,
    };
    const found = await this.#find(asked);
    if (found === undefined) return undefined;
    const { message, ttlOf } = found;
    return aliases.length === 0
      ? renderUpstream(message, query, limitBytes, ttlOf)
      : renderBehindAliases(message, query, aliases, limitBytes, ttlOf);
  }

  async #find(
    question: UpstreamQuestion,
  ): Promise<{ message: UpstreamMessage; ttlOf: (ttl: number) => number } | undefined> {
    const key = `${question.bytes.toString('latin1')}${question.dnssecOk}${question.checkingDisabled}`;
    const nowMs = this.#parts.clock.monotonicMs();
    const cached = this.#cache.get(key);
    if (cached !== undefined && nowMs < cached.freshUntilMs) {
      const ageSeconds = Math.floor((nowMs - cached.storedAtMs) / 1000);
      return { message: cached.message, ttlOf: (ttl) => Math.max(0, ttl - ageSeconds) };
    }
    const stale = this.#usableStale(key, cached, nowMs);
    const pending = this.#ask(key, question);
    const message = await (stale === undefined ? pending : this.#atMost(PATIENCE_MS, pending));
    const failed = message === undefined || message.rcode === RCODE.serverFailure;
    if (failed && stale !== undefined) {
      return { message: stale.message, ttlOf: () => STALE_TTL_SECONDS };
    }
    return message && { message, ttlOf: (ttl) => ttl };
  }

  #usableStale(
    key: string,
    cached: CachedMessage | undefined,
    nowMs: number,
  ): CachedMessage | undefined {
    if (cached === undefined || nowMs < cached.freshUntilMs + STALE_MS) return cached;
    this.#cache.delete(key);
    return undefined;
  }

  /** The same question is asked once, however many wait for its answer. */
  #ask(key: string, question: UpstreamQuestion): Promise<UpstreamMessage | undefined> {
    const known = this.#inFlight.get(key);
    if (known !== undefined) return known;
    const { maxInFlight = DEFAULT_MAX_IN_FLIGHT } = this.#parts;
    if (this.#inFlight.size >= maxInFlight) return Promise.resolve(undefined);
    const pending = this.#askServers(question).then((message) => {
      this.#inFlight.delete(key);
      if (message !== undefined) this.#remember(key, message);
      return message;
    });
    this.#inFlight.set(key, pending);
    return pending;
  }

  /** What the first server that knows says; else what the last one said, if any did. */
  async #askServers(question: UpstreamQuestion): Promise<UpstreamMessage | undefined> {
    let refused: UpstreamMessage | undefined;
    for (const server of inOrderOfTrust(this.#servers)) {
      // Other servers have been set meanwhile: these are no longer to be asked.
      if (!this.#servers.includes(server) || !server.mayBeAsked) continue;
      try {
        const message = await server.ask(question);
        if (message.rcode === RCODE.noError || message.rcode === RCODE.noName) return message;
        refused = message;
      } catch (error) {
        this.#parts.log.debug('a name server did not answer', {
          server: server.peer.address,
          error: String(error),
        });
      }
    }
    return refused;
  }

  #remember(key: string, message: UpstreamMessage): void {
    const lifeMs = Math.min(lifetimeSeconds(message) * 1000, LONGEST_LIFE_MS);
    if (lifeMs <= 0) return;
    const storedAtMs = this.#parts.clock.monotonicMs();
    this.#cache.set(key, { message, storedAtMs, freshUntilMs: storedAtMs + lifeMs });
  }

  async #atMost<T>(limitMs: number, work: Promise<T>): Promise<T | undefined> {
    let cancel = (): void => {};
    const late = new Promise<undefined>((resolve) => {
      cancel = this.#parts.clock.after(limitMs, () => resolve(undefined));
    });
    return await Promise.race([work, late]).finally(cancel);
  }

  #probe(server: UpstreamServer): void {
    const { randomId, datagrams, clock } = this.#parts;
    const word = () => randomId().toString(16).padStart(4, '0');
    const name = `${word()}${word()}${word()}${word()}.${PROBE_DOMAIN}`;
    this.#probes.set(name, server);
    const question = {
      bytes: encodeQuestion({ name, type: 'HINFO' }),
      dnssecOk: false,
      checkingDisabled: false,
    };
    const message = encodeForwardedQuery(randomId(), question, false);
    const close = datagrams(server.peer, message, { received: () => end(), failed: () => end() });
    const cancel = clock.after(PATIENCE_MS, () => end());
    const end = (): void => {
      cancel();
      close();
    };
  }

  #isOwnProbe(name: string): boolean {
    const server = this.#probes.get(name);
    if (server === undefined) return false;
    if (this.#servers.includes(server)) {
      this.#parts.log.warn('a name server of this node sends questions back: it is not asked', {
        server: server.peer.address,
      });
      this.#servers = this.#servers.filter((one) => one !== server);
    }
    return true;
  }
}

/** Those that answered the last time first. */
function inOrderOfTrust(servers: readonly UpstreamServer[]): UpstreamServer[] {
  return [
    ...servers.filter(({ isDoubtful }) => !isDoubtful),
    ...servers.filter(({ isDoubtful }) => isDoubtful),
  ];
}

/** The aliases of the cluster that led to the name, then what the other server says of it. */
function renderBehindAliases(
  message: UpstreamMessage,
  query: Query,
  aliases: readonly ZoneRecord[],
  limitBytes: number,
  ttlOf: (ttlSeconds: number) => number,
): Buffer | undefined {
  const bytes = Buffer.from(message.bytes);
  for (const { ttlOffset, ttlSeconds } of message.records) {
    bytes.writeUInt32BE(ttlOf(ttlSeconds), ttlOffset);
  }
  const count = (section: string) =>
    message.records.filter((record) => record.section === section).length;
  bytes.writeUInt16BE(count('additional'), 10);
  try {
    const { answers = [], authorities = [] } = decodeMessage(bytes);
    const { rcode } = message;
    const response = {
      rcode,
      authoritative: false,
      answers: [...aliases, ...answers],
      authorities,
    };
    return encodeResponse(query, response, limitBytes);
  } catch {
    return undefined;
  }
}
