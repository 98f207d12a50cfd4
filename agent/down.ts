import { dirname } from 'node:path';
import type { Logger } from '../shared/logger.ts';
import { agentCgroup, agentFolders } from './folders.ts';
import { clearCgroupTree, detectCgroups } from './host/cgroup.ts';
import { readTextFile } from './host/files.ts';
import { removeFolderIfEmpty } from './host/small-files.ts';
import { SystemClock } from './host/system-clock.ts';
import { listFolder, removeFolder } from './host/volume-files.ts';
import { agentIdFrom } from './link/agent-id.ts';
import { purgeDns } from './network/dns/dns.ts';
import { RoutedPodNetwork } from './network/pod-network.ts';
import { purgeRoutes } from './network/routes/routes.ts';
import { NftablesBackend } from './network/service-proxy/nftables.ts';
import { UserspaceBackend } from './network/service-proxy/userspace.ts';
import { stopContainers } from './pods/stop-containers.ts';
import { installedRuntimes } from './runtime/choose-runtime.ts';
import type { Runtime } from './runtime/runtime.ts';
import { NamespacePins } from './sandbox/namespace-pins.ts';

const ID_FILE = 'id';
/** What is left in the agent's cgroups when its containers are gone ends by itself in less, milliseconds. */
const CLEAN_UP_PATIENCE_MS = 10_000;

/** Stops every container of the agent of this data directory, whose process has ended, each within its grace. Answers how many ran. */
export async function stopAgentPods(dataDir: string, log: Logger): Promise<number> {
  const agentId = await savedAgentId(dataDir);
  if (agentId === undefined) return 0;
  const clock = new SystemClock();
  const runtimes = await runtimesOf(dataDir, agentId, log);
  const counts = await Promise.all(runtimes.map((runtime) => stopContainers(runtime, clock)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * Removes everything that carries the id of this data directory's agent, in whatever state it is, and the agent's own data. The id
 * goes last: a purge that was cut off finds its way again. Throws rather than remove a folder in which something is still mounted.
 */
export async function purgeAgent(dataDir: string, log: Logger): Promise<void> {
  const agentId = await savedAgentId(dataDir);
  if (agentId !== undefined) await purgeMachine(dataDir, agentId, log);
  const { state } = agentFolders(dataDir);
  for (const name of await listFolder(state)) {
    if (name !== ID_FILE) await removeFolder(`${state}/${name}`);
  }
  await removeFolder(state);
}

/** What there is of an agent outside its data directory. */
async function purgeMachine(dataDir: string, agentId: string, log: Logger): Promise<void> {
  const runDir = agentFolders(dataDir).run(agentId);
  for (const runtime of await runtimesOf(dataDir, agentId, log)) await runtime.purge();
  const network = new RoutedPodNetwork({
    agentId,
    pins: new NamespacePins(`${runDir}/ns`),
    nodeIp: () => '',
    podCidr: () => undefined,
    log,
  });
  await network.purge();
  await purgeDns(agentId);
  await purgeRoutes(agentId);
  const clock = new SystemClock();
  await new UserspaceBackend({ agentId, clock, log, random: Math.random }).purge();
  await new NftablesBackend({ agentId, log }).purge();
  await clearCgroupTree(detectCgroups(), agentCgroup(agentId), CLEAN_UP_PATIENCE_MS);
  // With the tmpfs of its volumes.
  await removeFolder(runDir);
  removeFolderIfEmpty(dirname(runDir));
}

async function savedAgentId(dataDir: string): Promise<string | undefined> {
  const path = `${agentFolders(dataDir).state}/${ID_FILE}`;
  const saved = await readTextFile(path);
  return saved === undefined ? undefined : agentIdFrom(saved, path);
}

async function runtimesOf(dataDir: string, agentId: string, log: Logger): Promise<Runtime[]> {
  const folders = agentFolders(dataDir);
  return await installedRuntimes({
    agentId,
    stateDir: folders.runtime,
    runDir: folders.run(agentId),
    log,
    nowMs: Date.now,
  });
}
