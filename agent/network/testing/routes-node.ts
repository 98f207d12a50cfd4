import type { Logger } from '../../../shared/logger.ts';
import type { JsonObject } from '../../../shared/meta/kube-object.ts';
import { defaultRouteAddress } from '../../host/kernel-routes.ts';
import { SystemClock } from '../../host/system-clock.ts';
import { PeerRoutes, purgeRoutes } from '../routes/routes.ts';
import { MemoryState } from './memory-state.ts';

/**
 * A node's routes as a program, for tests that run it in a network namespace: `{agentId, clusterId, nodeName, podCidr}` as its argument, then a
 * command a line on its standard input, each answered by a line.
 */
export type RoutesCommand =
  | { do: 'save'; documents: Record<string, JsonObject | null> }
  | { do: 'beat' | 'resync' | 'show' | 'purge' };

export interface RoutesAnswer {
  annotations: Record<string, string>;
  podMtuBytes: number;
  nodeIp: string;
  warnings: string[];
}

const options = JSON.parse(process.argv[2] ?? '{}') as Record<
  'agentId' | 'clusterId' | 'nodeName' | 'podCidr',
  string
>;
const warnings: string[] = [];
const log: Logger = {
  debug() {},
  info() {},
  warn: (message, fields) => warnings.push(`${message} ${JSON.stringify(fields)}`),
  error() {},
  child: () => log,
};
const state = new MemoryState();
const nodeIp = () => defaultRouteAddress() ?? '127.0.0.1';
const routes = new PeerRoutes({
  agentId: options.agentId,
  nodeName: options.nodeName,
  clusterId: () => options.clusterId,
  state,
  nodeIp,
  podCidr: () => options.podCidr,
  clock: new SystemClock(),
  log,
});
await routes.start();
answer();
let rest = '';
for await (const chunk of process.stdin.setEncoding('utf8')) {
  const lines = `${rest}${chunk}`.split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    await obey(JSON.parse(line) as RoutesCommand);
    answer();
  }
}
await routes.stop();

async function obey(command: RoutesCommand): Promise<void> {
  switch (command.do) {
    case 'save':
      state.save(command.documents);
      break;
    case 'beat':
      routes.beat();
      break;
    case 'resync':
      routes.resync();
      break;
    case 'purge':
      await routes.stop();
      await purgeRoutes(options.agentId);
      break;
    case 'show':
      break;
  }
}

function answer(): void {
  const said: RoutesAnswer = {
    annotations: routes.annotations(),
    podMtuBytes: routes.podMtuBytes(),
    nodeIp: nodeIp(),
    warnings,
  };
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
