import type { Logger } from '../../../shared/logger.ts';
import { CommandError, type RunCommand } from '../../host/command.ts';
import {
  externalEndpoints,
  internalEndpoints,
  type PortPlan,
  type ProxyPlan,
  type ServicePlan,
} from './proxy-plan.ts';

/**
 * Forgets UDP flows whose endpoint is gone: the kernel decides once per flow, and a client that keeps its port would be sent to the
 * removed endpoint for as long as it talks. Needs `conntrack`; without it such clients wait for the kernel's own timeout.
 */
export class UdpFlows {
  readonly #run: RunCommand;
  readonly #log: Logger;
  #known: ReadonlyMap<string, ServicePlan> = new Map();
  #isMissing = false;

  constructor(parts: { run: RunCommand; log: Logger }) {
    this.#run = parts.run;
    this.#log = parts.log;
  }

  /** Told after each plan that was loaded. Never throws: the rules are right already. */
  async follow(plan: ProxyPlan): Promise<void> {
    const before = this.#known;
    this.#known = plan.services;
    for (const [key, service] of before) {
      const next = plan.services.get(key);
      if (next === service) continue;
      for (const port of service.ports) {
        if (port.protocol === 'UDP') await this.#forget(service, port, next);
      }
    }
    for (const [key, service] of plan.services) {
      if (before.get(key) === service || before.size === 0) continue;
      for (const port of service.ports) {
        if (port.protocol === 'UDP') await this.#forgetUntranslated(port, before.get(key));
      }
    }
  }

  async #forget(
    service: ServicePlan,
    port: PortPlan,
    next: ServicePlan | undefined,
  ): Promise<void> {
    const stays = next?.ports.find(
      ({ name, protocol }) => name === port.name && protocol === 'UDP',
    );
    const left = new Set(
      next === undefined || stays === undefined
        ? []
        : [...internalEndpoints(next, stays), ...externalEndpoints(next, stays)].map(addressOf),
    );
    const all = [...internalEndpoints(service, port), ...externalEndpoints(service, port)];
    const gone = new Map(all.map((endpoint) => [addressOf(endpoint), endpoint]));
    for (const [address, endpoint] of gone) {
      if (left.has(address)) continue;
      for (const target of targetsOf(port)) {
        await this.#delete([...target, '--reply-src', endpoint.address]);
      }
    }
  }

  /** Flows that began when there was no endpoint go on untranslated. */
  async #forgetUntranslated(port: PortPlan, before: ServicePlan | undefined): Promise<void> {
    const old = before?.ports.find(
      ({ name, protocol }) => name === port.name && protocol === 'UDP',
    );
    if (port.cluster.length === 0 || (old !== undefined && old.cluster.length > 0)) return;
    for (const target of targetsOf(port)) await this.#delete(target);
  }

  async #delete(match: readonly string[]): Promise<void> {
    if (this.#isMissing) return;
    try {
      // It ends with 1 when nothing matched.
      await this.#run('conntrack', ['-D', '-p', 'udp', ...match], { allowFailure: true });
    } catch (error) {
      this.#isMissing = error instanceof CommandError && error.failure === 'missing';
      this.#log.warn('UDP flows of removed endpoints live until they time out', {
        error: String(error),
      });
    }
  }
}

function targetsOf(port: PortPlan): string[][] {
  const addresses = [...port.clusterIps, ...port.externalIps];
  const targets = addresses.map((address) => [
    '--orig-dst',
    address,
    '--orig-port-dst',
    String(port.port),
  ]);
  if (port.nodePort !== undefined) targets.push(['--orig-port-dst', String(port.nodePort)]);
  return targets;
}

function addressOf({ address, port }: { address: string; port: number }): string {
  return `${address}:${port}`;
}
