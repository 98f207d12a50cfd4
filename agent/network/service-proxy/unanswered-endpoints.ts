import type { Clock } from '../../../shared/reconcile/clock.ts';
import { tcpAnswer } from '../../host/tcp-answers.ts';
import type { Endpoint, Protocol } from './proxy-plan.ts';
import type { WatchedEndpoint } from './service-book.ts';
import type { RemoteHealth } from './service-proxy.ts';

const ROUND_MS = 1_000;
const TIMEOUT_MS = 1_000;
/** Of all endpoints together, a round: a node with thousands of them takes several rounds. */
const MOST_PROBES_A_ROUND = 50;
/** One lost packet is no death. */
const FAILURES = 2;

/**
 * Passes over remote endpoints that stop answering while the master is away: each is connected to in turn, twice in vain makes it silent,
 * once with success makes it heard again. With the link up nothing is sent and nobody is silent: the master knows better, and an idle
 * node stays idle. The kernel carries the traffic, so the agent sees no failed connection of a client; a TCP connection goes the
 * same way as theirs. Of a UDP port a refusal shows that the pod is there, which is all that can be told.
 */
export class UnansweredEndpoints implements RemoteHealth {
  readonly #clock: Clock;
  readonly #probe: typeof tcpAnswer;
  readonly #listeners = new Set<() => void>();
  readonly #failures = new Map<string, number>();
  #endpoints: () => Iterable<WatchedEndpoint> = () => [];
  #cancel: (() => void) | undefined;
  #isAway = false;
  #nextIndex = 0;

  constructor(parts: { clock: Clock; probe?: typeof tcpAnswer }) {
    this.#clock = parts.clock;
    this.#probe = parts.probe ?? tcpAnswer;
  }

  /** Tell it whenever the link to the master came or went. */
  setLinked(isLinked: boolean): void {
    if (this.#isAway === !isLinked) return;
    this.#isAway = !isLinked;
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#isAway) this.#later();
    else if (this.#failures.size > 0) {
      const wasSilent = [...this.#failures.values()].some((count) => count >= FAILURES);
      this.#failures.clear();
      if (wasSilent) this.#tell();
    }
  }

  stop(): void {
    this.#isAway = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  isSilent(endpoint: Endpoint, protocol: Protocol): boolean {
    return (this.#failures.get(keyOf({ ...endpoint, protocol })) ?? 0) >= FAILURES;
  }

  watch(endpoints: () => Iterable<WatchedEndpoint>): void {
    this.#endpoints = endpoints;
  }

  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  #later(): void {
    const cancel = this.#clock.after(ROUND_MS, () => {
      void this.#round().finally(() => {
        // A link that came and went during the round has begun another one.
        if (this.#isAway && this.#cancel === cancel) this.#later();
      });
    });
    this.#cancel = cancel;
  }

  async #round(): Promise<void> {
    const all = new Map<string, WatchedEndpoint>();
    for (const endpoint of this.#endpoints()) all.set(keyOf(endpoint), endpoint);
    for (const key of this.#failures.keys()) if (!all.has(key)) this.#failures.delete(key);
    const list = [...all];
    const start = this.#nextIndex < list.length ? this.#nextIndex : 0;
    const chosen = list.slice(start, start + MOST_PROBES_A_ROUND);
    this.#nextIndex = start + chosen.length;
    const changes = await Promise.all(chosen.map((each) => this.#look(...each)));
    if (this.#isAway && changes.includes(true)) this.#tell();
  }

  /** Whether the opinion changed. */
  async #look(key: string, endpoint: WatchedEndpoint): Promise<boolean> {
    const answer = await this.#probe(endpoint, TIMEOUT_MS);
    if (!this.#isAway) return false;
    const before = this.#failures.get(key) ?? 0;
    const isThere = answer === 'open' || (answer === 'closed' && endpoint.protocol !== 'TCP');
    if (isThere) this.#failures.delete(key);
    else this.#failures.set(key, before + 1);
    return isThere ? before >= FAILURES : before + 1 === FAILURES;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function keyOf({ address, port, protocol }: WatchedEndpoint): string {
  return `${address}:${port}/${protocol}`;
}
