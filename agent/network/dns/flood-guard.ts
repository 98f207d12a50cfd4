import type { Clock } from '../../../shared/reconcile/clock.ts';

export interface FloodLimits {
  /** Queries of one client, in the long run and at once. */
  queriesPerSecond: number;
  burst: number;
  /** Questions of one client that wait for other servers. */
  pending: number;
  /** TCP connections of one client. */
  connections: number;
}

interface ClientRecord {
  tokens: number;
  filledAtMs: number;
  pending: number;
  connections: number;
}

export const FLOOD_LIMITS: FloodLimits = {
  queriesPerSecond: 5000,
  burst: 10_000,
  pending: 64,
  connections: 20,
};

/** Clients remembered; the one that is known for the longest time is forgotten first, unless something of it is open. */
const MAX_CLIENTS = 4096;

/** Keeps one client, by its address, from taking what belongs to all. */
export class FloodGuard {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #limits: FloodLimits;
  readonly #clients = new Map<string, ClientRecord>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, limits: FloodLimits = FLOOD_LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Whether a query of the client is to be looked at. */
  admit(client: string): boolean {
    const record = this.#record(client);
    const nowMs = this.#clock.monotonicMs();
    const { queriesPerSecond, burst } = this.#limits;
    const filled = record.tokens + ((nowMs - record.filledAtMs) / 1000) * queriesPerSecond;
    record.tokens = Math.min(burst, filled);
    record.filledAtMs = nowMs;
    if (record.tokens < 1) return false;
    record.tokens--;
    return true;
  }

  /** Counts something that waits, or a connection; answers how it ends, or undefined when the client has too many. */
  begin(client: string, what: 'pending' | 'connections'): (() => void) | undefined {
    const record = this.#record(client);
    if (record[what] >= this.#limits[what]) return undefined;
    record[what]++;
    return () => {
      record[what]--;
    };
  }

  #record(client: string): ClientRecord {
    const known = this.#clients.get(client);
    if (known !== undefined) return known;
    if (this.#clients.size >= MAX_CLIENTS) this.#forgetOne();
    const record = {
      tokens: this.#limits.burst,
      filledAtMs: this.#clock.monotonicMs(),
      pending: 0,
      connections: 0,
    };
    this.#clients.set(client, record);
    return record;
  }

  #forgetOne(): void {
    for (const [client, { pending, connections }] of this.#clients) {
      if (pending > 0 || connections > 0) continue;
      this.#clients.delete(client);
      return;
    }
  }
}
