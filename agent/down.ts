import type { Logger } from '../shared/logger.ts';
import { agentCgroup, agentFolders } from './folders.ts';
import { clearCgroupTree, detectCgroups } from './host/cgroup.ts';
import { runCommand } from './host/command.ts';
import { readTextFile } from './host/files.ts';
import { mountPoints } from './host/mounts.ts';
import { removeFolder } from './host/volume-files.ts';
import { RoutedPodNetwork } from './network/pod-network.ts';
import { installedRuntimes } from './runtime/choose-runtime.ts';
import type { Runtime } from './runtime/runtime.ts';
import { NamespacePins } from './sandbox/namespace-pins.ts';

/** What a container has to end by itself when its node goes down, milliseconds; as long as the kubelet's default grace for shutdown. */
const GRACE_MS = 10_000;

/** Stops every container of the agent of this data directory, whose process has ended. Answers how many ran. */
export async function stopAgentPods(dataDir: string, log: Logger): Promise<number> {
  const agentId = await savedAgentId(dataDir);
  if (agentId === undefined) return 0;
  const counts = await Promise.all((await runtimesOf(dataDir, agentId, log)).map(stopContainers));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Removes everything that carries the id of this data directory's agent, in whatever state it is, and the agent's own data. */
export async function purgeAgent(dataDir: string, log: Logger): Promise<void> {
  const agentId = await savedAgentId(dataDir);
  if (agentId === undefined) return;
  const folders = agentFolders(dataDir);
  const runDir = folders.run(agentId);
  for (const runtime of await runtimesOf(dataDir, agentId, log)) await runtime.purge();
  const network = new RoutedPodNetwork({
    agentId,
    pins: new NamespacePins(`${runDir}/ns`),
    nodeIp: () => '',
    podCidr: () => undefined,
    log,
  });
  await network.purge();
  await unmountBelow([runDir, folders.state]);
  await clearCgroupTree(detectCgroups(), agentCgroup(agentId), GRACE_MS);
  await removeFolder(runDir);
}

async function savedAgentId(dataDir: string): Promise<string | undefined> {
  return (await readTextFile(`${agentFolders(dataDir).state}/id`))?.trim();
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

async function stopContainers(runtime: Runtime): Promise<number> {
  const running = (await runtime.list()).filter(({ state }) => state === 'running');
  const left = new Set(running.map(({ id }) => id));
  if (left.size === 0) return 0;
  const ended = withResolvers();
  const unwatch = await runtime.watch(({ id }) => {
    left.delete(id);
    if (left.size === 0) ended.resolve();
  });
  const timer = setTimeout(() => ended.resolve(), GRACE_MS);
  await Promise.all(running.map(({ id }) => runtime.signal(id, 'TERM')));
  await ended.promise;
  clearTimeout(timer);
  unwatch();
  await Promise.all([...left].map((id) => runtime.signal(id, 'KILL')));
  return running.length;
}

/** Node 20 has no Promise.withResolvers. */
function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Deepest first; a mount over a mount is undone as often as it is there. */
async function unmountBelow(folders: readonly string[]): Promise<void> {
  const below = mountPoints().filter((path) =>
    folders.some((folder) => path === folder || path.startsWith(`${folder}/`)),
  );
  for (const path of below.sort((left, right) => right.length - left.length)) {
    await runCommand('umount', [path], { allowFailure: true });
  }
}
