import { createInterface } from 'node:readline';
import { SystemClock } from '../../agent/host/system-clock.ts';
import { NftablesBackend } from '../../agent/network/service-proxy/nftables.ts';
import { keepIfSame } from '../../agent/network/service-proxy/plan.ts';
import type { NodePlan, ServicePlan } from '../../agent/network/service-proxy/proxy-plan.ts';
import { UserspaceBackend } from '../../agent/network/service-proxy/userspace.ts';
import type { Logger } from '../../shared/logger.ts';

/**
 * A backend in a process of its own, so that a test can put it into a network namespace: `backend-child.ts nftables|userspace AGENT-ID`.
 * Each line of stdin is `{op, services?, node?, thorough?}`, each line of stdout the answer.
 */
const [, , kind, agentId = ''] = process.argv;
const said: string[] = [];
const say = (message: string, fields?: object) => {
  said.push(message);
  process.stderr.write(`${message} ${JSON.stringify(fields ?? {})}\n`);
};
const log: Logger = {
  debug: () => {},
  info: () => {},
  warn: say,
  error: say,
  child: () => log,
};
const parts = { agentId, log, clock: new SystemClock(), random: Math.random };
const backend = kind === 'nftables' ? new NftablesBackend(parts) : new UserspaceBackend(parts);
let known = new Map<string, ServicePlan>();
let knownNode: NodePlan | undefined;

export interface BackendRequest {
  op: 'apply' | 'verify' | 'purge';
  services?: ServicePlan[];
  node?: NodePlan;
}

async function answer({ op, services = [], node }: BackendRequest): Promise<unknown> {
  if (op === 'verify') return await backend.verify(true);
  if (op === 'purge') return await backend.purge();
  known = new Map(
    services.map((service) => [service.key, keepIfSame(known.get(service.key), service)]),
  );
  if (node !== undefined) knownNode = keepIfSame(knownNode, node);
  if (knownNode !== undefined) await backend.apply({ services: known, node: knownNode });
  return said.splice(0);
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const result = await answer(JSON.parse(line) as BackendRequest);
    process.stdout.write(`${JSON.stringify({ result })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: String(error) })}\n`);
  }
}
process.exit(0);
