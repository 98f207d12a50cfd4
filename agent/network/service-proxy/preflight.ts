import type { Logger } from '../../../shared/logger.ts';
import type { Clock } from '../../../shared/reconcile/clock.ts';
import { CommandError, type RunCommand, runCommand } from '../../host/command.ts';
import { baseTable, serviceFragment } from './nft-rules.ts';
import { fullText } from './nft-table.ts';
import { NftablesBackend } from './nftables.ts';
import type { ProxyBackend } from './proxy-backend.ts';
import type { NodePlan, ServicePlan } from './proxy-plan.ts';
import { USERSPACE_LACKS, UserspaceBackend } from './userspace.ts';

export interface ChosenProxy {
  backend: ProxyBackend;
  /** What was found, as a sentence. */
  found: string;
  /** What services cannot do with this backend; empty with nftables. */
  lacks: readonly string[];
}

/**
 * The kernel's backend where the kernel takes a table with everything that one may hold (`nft --check`: nothing is changed); otherwise
 * the one of this process, with a warning that says what it cannot do.
 */
export async function chooseProxyBackend(parts: {
  agentId: string;
  clock: Clock;
  random: () => number;
  log: Logger;
  run?: RunCommand;
}): Promise<ChosenProxy> {
  const { log, run = runCommand } = parts;
  try {
    const { stdout } = await run('nft', ['--version']);
    await run('nft', ['--check', '-f', '-'], { input: sampleText(parts.agentId) });
    const found = `${stdout.trim()}; the kernel takes its rules`;
    log.info('services are carried by nftables', { found });
    return { backend: new NftablesBackend(parts), found, lacks: [] };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const refusal = /.*Error: .*/.exec(error.stderr)?.[0] ?? error.lastLine;
    const found =
      error.failure === 'missing' ? 'nft is not installed' : `nft does not work here: ${refusal}`;
    log.warn('services are carried by this process', { found, lacks: USERSPACE_LACKS });
    return { backend: new UserspaceBackend(parts), found, lacks: USERSPACE_LACKS };
  }
}

/** One of everything. */
function sampleText(agentId: string): string {
  const node: NodePlan = {
    nodeIp: '192.0.2.1',
    podCidr: '192.0.2.0/28',
    clusterCidr: '192.0.2.0/24',
    hostPorts: [],
  };
  const endpoints = [2, 3].map((last) => ({ address: `192.0.2.${last}`, port: 80 }));
  const service: ServicePlan = {
    key: 'preflight/preflight',
    ports: (['TCP', 'UDP'] as const).map((protocol) => ({
      name: '',
      protocol,
      port: 80,
      clusterIps: ['198.51.100.1'],
      externalIps: ['198.51.100.2'],
      nodePort: 30_000,
      cluster: endpoints,
      local: endpoints,
      hairpin: ['192.0.2.2'],
    })),
    affinitySeconds: 60,
    internalLocal: false,
    externalLocal: true,
    guard: { addresses: ['198.51.100.2'], ranges: ['192.0.2.0/24'] },
    healthCheck: undefined,
  };
  const table = baseTable(node);
  const fragment = serviceFragment(service, node);
  for (const [name, rules] of fragment.chains) table.chains.set(name, { hook: undefined, rules });
  for (const { set, key, value } of fragment.elements)
    table.sets.get(set)?.elements.set(key, value);
  return fullText(`skerry-${agentId}-preflight`, table);
}
