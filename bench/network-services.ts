import { type RunCommand, runCommand } from '../agent/host/command.ts';
import { NftablesBackend } from '../agent/network/service-proxy/nftables.ts';
import { planService } from '../agent/network/service-proxy/plan.ts';
import type { NodePlan, ServicePlan } from '../agent/network/service-proxy/proxy-plan.ts';
import { readService, readSlice } from '../agent/network/service-proxy/saved-services.ts';
import { silentLogger } from '../shared/silent-logger.ts';

const NODE: NodePlan = {
  nodeIp: '192.0.2.1',
  podCidr: '10.42.0.0/24',
  clusterCidr: '10.42.0.0/16',
  hostPorts: [],
};
const CHANGES = 15;

/**
 * Full load and one change of so many services of three endpoints, each so-manieth with session affinity, in a network namespace of its
 * own. Needs root and nft.
 */
export async function measureServices({
  count,
  withAffinity = Number.POSITIVE_INFINITY,
}: {
  count: number;
  withAffinity?: number;
}): Promise<Record<string, string | number>> {
  const namespace = `skerry-bench-svc-${process.pid}`;
  await runCommand('ip', ['netns', 'add', namespace]);
  const run: RunCommand = (file, args, options) =>
    runCommand('nsenter', [`--net=/run/netns/${namespace}`, file, ...args], options);
  try {
    const backend = new NftablesBackend({ agentId: 'bench', log: silentLogger, run });
    let services = new Map<string, ServicePlan>();
    const planning = await timed(async () => {
      for (let index = 1; index <= count; index++)
        put(services, planned(index, 3, index % withAffinity === 0));
    });
    const load = await timed(() => backend.apply({ services, node: NODE }));
    const changes: number[] = [];
    for (let round = 0; round < CHANGES; round++) {
      services = new Map(services);
      // One endpoint less, then one more: both change something.
      put(services, planned(1 + (round >> 1), 2 + (round % 2), false));
      changes.push(await timed(() => backend.apply({ services, node: NODE })));
    }
    const readBack = await timed(() => backend.verify(true).then(() => {}));
    const bare = await timed(() => run('nft', ['list', 'tables']).then(() => {}));
    changes.sort((a, b) => a - b);
    return {
      services: Number.isFinite(withAffinity)
        ? `${count}, each ${withAffinity}rd with affinity`
        : count,
      'plan ms': round(planning),
      'full load ms': round(load),
      'one change ms (median)': round(changes[CHANGES >> 1] ?? 0),
      'one change ms (best)': round(changes[0] ?? 0),
      'read back ms': round(readBack),
      'nft that does nothing ms': round(bare),
    };
  } finally {
    await runCommand('ip', ['netns', 'del', namespace]);
  }
}

function put(services: Map<string, ServicePlan>, service: ServicePlan | undefined): void {
  if (service !== undefined) services.set(service.key, service);
}

function planned(index: number, endpoints: number, isSticky: boolean): ServicePlan | undefined {
  const metadata = { namespace: 'default', name: `s${index}` };
  const clusterIP = `10.43.${index >> 8}.${index & 255}`;
  return planService({
    service: readService({
      metadata,
      spec: { clusterIP, ports: [{ port: 80 }], sessionAffinity: isSticky ? 'ClientIP' : 'None' },
    }),
    slices: [
      readSlice({
        metadata,
        addressType: 'IPv4',
        ports: [{ name: '', port: 8080, protocol: 'TCP' }],
        endpoints: Array.from({ length: endpoints }, (_, node) => ({
          addresses: [`10.42.${node}.${(index & 127) + 2}`],
          nodeName: `node-${node}`,
        })),
      }),
    ],
    nodeName: 'node-0',
    dnsAddress: undefined,
    localPod: () => undefined,
    isSilent: () => false,
  });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
