import type { ProxyPlan } from './proxy-plan.ts';

/** What carries the traffic of services. Every implementation passes `test/service-proxy/proxy-backend.contract.ts`. */
export interface ProxyBackend {
  readonly name: 'nftables' | 'userspace';
  /**
   * Makes the machine do what the plan says. Compares with what it did before by the identity of the plan's parts, so a small change
   * costs little. All or nothing: when it throws, what was there goes on, and the next call tries everything anew. One call at a time.
   */
  apply(plan: ProxyPlan): Promise<void>;
  /**
   * Whether the machine still does what was applied last; false makes the next `apply` start from nothing. `thorough` reads everything,
   * not only what shows the usual damage.
   */
  verify(thorough: boolean): Promise<boolean>;
  /** Removes everything that carries the agent's id, whoever put it there. */
  purge(): Promise<void>;
}
