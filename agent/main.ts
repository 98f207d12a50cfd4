import { hostname } from 'node:os';
import type { Logger } from '../shared/logger.ts';
import { KUBERNETES_VERSION, SKERRY_VERSION } from '../shared/version.ts';
import type { AgentConfig } from './config.ts';
import { FolderLock } from './host/folder-lock.ts';
import { defaultRouteAddress } from './host/kernel-routes.ts';
import { readLiveFigures, readMachineFacts } from './host/machine.ts';
import { SystemClock } from './host/system-clock.ts';
import { Identity } from './link/identity.ts';
import { Link } from './link/session.ts';
import { RoutedPodNetwork } from './network/pod-network.ts';
import { nodeCapacity } from './node/capacity.ts';
import { ReportedEvents } from './node/event-recorder.ts';
import { loadInventory } from './node/inventory-cache.ts';
import { NodeReporter } from './node/node-reporter.ts';
import { SavedNode } from './node/saved-node.ts';
import { agentFolders } from './folders.ts';
import { PodWorker } from './pods/pod-worker.ts';
import { chooseRuntime } from './runtime/choose-runtime.ts';
import { NamespacePins } from './sandbox/namespace-pins.ts';
import { DiskState } from './state/disk-state.ts';
import { SavedPodSources } from './state/pod-sources.ts';

export interface AgentParts {
  config: AgentConfig;
  /** How to join; a device that has joined needs it no more. */
  join: { server: string; token: string } | undefined;
  log: Logger;
  /** Programs of the build. */
  assets: { inventoryCommand: readonly string[] };
  /** Something that cannot be mended in place, such as a token that is refused: the process should end with this sentence. */
  onFatal(error: Error): void;
}

export interface RunningAgent {
  /** The link and the workers end; containers go on. */
  stop(): Promise<void>;
}

/**
 * Composes and starts an agent; the only file that knows every part. Pods start from the saved state at once, with or without a master.
 * Throws errors whose message is one sentence (a locked folder, no container engine).
 */
export async function startAgent({ config, join, log, assets, onFatal }: AgentParts): Promise<RunningAgent> {
  const stops: (() => Promise<void> | void)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    const clock = new SystemClock();
    const folders = agentFolders(config.dataDir);
    const lock = await FolderLock.take(folders.state);
    stops.push(() => lock.release());
    const identity = new Identity(folders.state);
    await identity.open();
    const agentId = identity.id;
    const runDir = folders.run(agentId);
    const nodeName = identity.enrolment?.nodeName ?? config.nodeName;

    const runtime = await chooseRuntime(config.runtime, {
      agentId,
      stateDir: folders.runtime,
      runDir,
      log: log.child({ part: 'runtime' }),
      nowMs: () => clock.nowMs(),
    });
    const [machine, runtimeInfo] = await Promise.all([readMachineFacts(folders.state), runtime.info()]);

    const state = new DiskState({
      folder: `${folders.state}/state`,
      unseal: (document) => identity.unseal(document),
      logger: log.child({ part: 'state' }),
    });
    await state.open();
    stops.push(() => state.close());
    const node = new SavedNode(state, nodeName);
    const nodeIp = () => config.nodeIp ?? defaultRouteAddress() ?? link.localAddress ?? '127.0.0.1';

    const link: Link = new Link({
      identity,
      state,
      ...(join !== undefined && { join: { ...join, nodeName } }),
      streams: [],
      release: SKERRY_VERSION,
      clock,
      random: Math.random,
      logger: log.child({ part: 'link' }),
      onRefused: (message) => onFatal(new Error(message)),
    });
    const network = new RoutedPodNetwork({
      agentId,
      pins: new NamespacePins(`${runDir}/ns`),
      nodeIp,
      podCidr: () => node.podCidr(),
      log: log.child({ part: 'network' }),
    });
    await network.start();
    const events = new ReportedEvents({ outbox: link.outbox, clock, nodeName });
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
