import type { Logger } from '../shared/logger.ts';
import { OptionError } from '../shared/options/read-options.ts';
import { stuckWork } from '../shared/reconcile/underway.ts';
import { formatToWrite } from '../shared/state-format.ts';
import { KUBERNETES_VERSION, SKERRY_VERSION } from '../shared/version.ts';
import type { AgentConfig } from './config.ts';
import { agentCgroup, agentFolders } from './folders.ts';
import { readTextFile, writeFileDurably } from './host/files.ts';
import { FolderLock } from './host/folder-lock.ts';
import { defaultRouteAddress } from './host/kernel-routes.ts';
import { readLiveFigures, readMachineFacts } from './host/machine.ts';
import { machineName } from './host/machine-name.ts';
import { SystemClock } from './host/system-clock.ts';
import { Identity } from './link/identity.ts';
import { ObstacleNote } from './link/obstacle-note.ts';
import { Link } from './link/session.ts';
import { NodeNetwork } from './network/node-network.ts';
import { RoutedPodNetwork } from './network/pod-network.ts';
import { ReportedEvents } from './node/event-recorder.ts';
import { loadInventory } from './node/inventory-cache.ts';
import { NodeReporter } from './node/node-reporter.ts';
import { SavedNode } from './node/saved-node.ts';
import { PodEvents } from './pods/pod-events.ts';
import { PodWorker } from './pods/pod-worker.ts';
import { Prober } from './probes/prober.ts';
import { chooseRuntime } from './runtime/choose-runtime.ts';
import { NamespacePins } from './sandbox/namespace-pins.ts';
import { AgentPodCgroups } from './sandbox/pod-cgroups.ts';
import { DiskState } from './state/disk-state.ts';
import { SavedPodSources } from './state/pod-sources.ts';
import { LogFolders } from './streams/log-folders.ts';
import { LogStreamHandler } from './streams/logs.ts';
import { Upkeep } from './upkeep.ts';
import { NodePodVolumes } from './volumes/pod-volumes.ts';

/** A pod's /dev/shm, as large as containerd's under Kubernetes. */
const SHARED_MEMORY_BYTES = 64 * 1024 * 1024;

export interface AgentParts {
  config: AgentConfig;
  /** How to join; a device that has joined needs it no more. */
  join: JoinSource | undefined;
  log: Logger;
  /** Programs of the build. */
  assets: { inventoryCommand: readonly string[] };
  /** Something that cannot be mended in place, such as a token that is refused: the process should end with this sentence. */
  onFatal(error: Error): void;
  /** Called when the device is awake anyway: what `status()` says may be another. */
  onBeat?(): void;
}

/** Where to join, and by what right. */
export interface JoinSource {
  server: string;
  /** Asked at the start and at each try to join, with the name that the device has joined as, if it has; '' if none is needed. */
  token(joinedAs: string | undefined): Promise<string>;
  /** Whether a refusal is waited out, as a service does, or is fatal. */
  keepsTrying: boolean;
  /** As that of JoinRequest. */
  forgetToken?(): void;
}

export interface RunningAgent {
  /** The name under which the device has joined or joins. */
  nodeName: string;
  /** Resolves when the device belongs to a cluster: at once, if it has joined before. */
  joined: Promise<void>;
  /** In a few words, for who looks at the service. */
  status(): string;
  /** What no longer moves in this agent, if anything: only a new start helps then. */
  stuck(): Promise<string | undefined>;
  /** The link and the workers end; containers go on. */
  stop(): Promise<void>;
}

/**
 * Composes and starts an agent; the only file that knows every part. Pods start from the saved state at once, with or without a master.
 * Throws errors whose message is one sentence (a locked folder, no container engine), an OptionError where it was not told how to join.
 */
export async function startAgent({
  config,
  join,
  log,
  assets,
  onFatal,
  onBeat,
}: AgentParts): Promise<RunningAgent> {
  const stops: (() => Promise<void> | void)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    const clock = new SystemClock();
    const folders = agentFolders(config.dataDir);
    const lock = await FolderLock.take(folders.state);
    stops.push(() => lock.release());
    await claimFormat(folders.state);
    const identity = new Identity(folders.state);
    await identity.open();
    const agentId = identity.id;
    const runDir = folders.run(agentId);
    const nodeName = identity.enrolment?.nodeName ?? config.nodeName;
    if (nodeName !== config.nodeName) {
      log.info(`this device joined as node ${nodeName}, and stays that`, {
        asked: config.nodeName,
      });
    }

    const runtime = await chooseRuntime(config.runtime, {
      agentId,
      stateDir: folders.runtime,
      runDir,
      log: log.child({ part: 'runtime' }),
      nowMs: () => clock.nowMs(),
    });
    const [machine, runtimeInfo] = await Promise.all([
      readMachineFacts(folders.state),
      runtime.info(),
    ]);

    const state = new DiskState({
      folder: `${folders.state}/state`,
      unseal: (document) => identity.unseal(document),
      logger: log.child({ part: 'state' }),
    });
    await state.open();
    stops.push(() => state.close());
    const node = new SavedNode(state, nodeName);
    if (join === undefined && identity.enrolment === undefined) {
      throw new OptionError(
        'this device has not joined a cluster',
        'a server and a join token are needed; `skerry token create` on the master makes one',
      );
    }
    const token = async () => (await join?.token(identity.enrolment?.nodeName)) ?? '';
    // A file that cannot be read is told before anything runs.
    await token();
    const joinRequest = join && { ...join, token, nodeName };
    const nodeIp = () => config.nodeIp ?? defaultRouteAddress() ?? link.localAddress ?? '127.0.0.1';

    const logFolders = new LogFolders(
      folders.logs,
      runtime.reopenLog &&
        ((podUid, container, attempt) => {
          const id = pods.runningContainer(podUid, container, attempt);
          return id === undefined ? undefined : async () => await runtime.reopenLog?.(id);
        }),
    );
    // The stream asks the worker, which reports through the link, which serves the stream: one of them must come first.
    const logs = new LogStreamHandler({
      folders: logFolders,
      runs: {
        look: (podUid, container) => pods.look(podUid, container),
        subscribe: (podUid, changed) => pods.subscribe(podUid, changed),
      },
      nowMs: () => clock.nowMs(),
    });
    const note = new ObstacleNote(runDir, log.child({ part: 'link' }));
    note.tell(undefined);
    let beatMs = clock.monotonicMs();
    let onJoined = () => {};
    const joined = new Promise<void>((resolve) => {
      onJoined = resolve;
    });
    const link: Link = new Link({
      identity,
      state,
      ...(joinRequest !== undefined && { join: joinRequest }),
      streams: [logs],
      release: SKERRY_VERSION,
      clock,
      random: Math.random,
      logger: log.child({ part: 'link' }),
      onRefused: (message) => onFatal(new Error(message)),
      onJoined: () => onJoined(),
      onBeat: () => {
        beatMs = clock.monotonicMs();
        note.tell(link.obstacle);
        upkeep.beat();
        nodeNetwork.beat();
        onBeat?.();
      },
    });
    const nodeNetwork: NodeNetwork = new NodeNetwork({
      agentId,
      nodeName,
      clusterId: () => identity.enrolment?.clusterId,
      nodeIp,
      podCidr: () => node.podCidr(),
      isLinked: () => link.connected,
      state,
      localPods: {
        localPod: (podUid) => pods.localPod(podUid),
        subscribeAll: (changed) => pods.subscribeAll(changed),
      },
      clock,
      random: Math.random,
      log,
      onChange: () => attempt(reporter.refresh(), 'the node was not reported'),
    });
    const network = new RoutedPodNetwork({
      agentId,
      pins: new NamespacePins(`${runDir}/ns`),
      nodeIp,
      podCidr: () => node.podCidr(),
      podMtuBytes: () => nodeNetwork.podMtuBytes(),
      log: log.child({ part: 'network' }),
    });
    await network.start();
    const { memoryBytes, cpus } = machine;
    const sources = new SavedPodSources(state);
    const nodeFacts = {
      name: nodeName,
      ip: nodeIp,
      memoryBytes,
      allocatable: () => ({ cpuMilli: cpus * 1000, memoryBytes }),
    };
    const events = new ReportedEvents({ outbox: link.outbox, clock, nodeName });
    const pods: PodWorker = new PodWorker({
      agentId,
      runtime,
      cgroups: new AgentPodCgroups(agentCgroup(agentId)),
      network,
      volumes: new NodePodVolumes({
        diskRoot: folders.volumes,
        memoryRoot: `${runDir}/volumes`,
        sources,
        node: nodeFacts,
        clusterDomain: () => nodeNetwork.clusterDomain,
        dnsAddress: () => nodeNetwork.dnsAddress,
        sharedMemoryBytes: SHARED_MEMORY_BYTES,
      }),
      logs: logFolders,
      state,
      sources,
      outbox: link.outbox,
      events,
      node: nodeFacts,
      clock,
      log: log.child({ part: 'pods' }),
      probes: new Prober({
        runtime,
        events: new PodEvents(events),
        clock,
        random: Math.random,
        changed: (podUid) => pods.wake(podUid),
      }),
      onImagePulled: () => attempt(reporter.refreshImages(), 'the images were not reported'),
    });
    const reporter = new NodeReporter({
      nodeName,
      hostname: machineName(),
      kubeletVersion: KUBERNETES_VERSION,
      architecture: process.arch,
      clock,
      outbox: link.outbox,
      runtime,
      runtimeInfo,
      machine,
      liveFigures: () => readLiveFigures(folders.state),
      nodeIp,
      podCidr: () => node.podCidr(),
      networkAnnotations: () => nodeNetwork.annotations(),
    });
    const attempt = (work: Promise<void>, failure: string) => {
      work.catch((error: unknown) => log.warn(failure, { error: String(error) }));
    };
    const upkeep = new Upkeep({
      clock,
      boundLogs: () => logFolders.bound(),
      report: () => reporter.refresh(),
      resync: () => {
        pods.resync();
        nodeNetwork.resync();
      },
      log,
    });

    // The saved pods first, with the network that they need: they wait for no master.
    await nodeNetwork.start();
    stops.push(() => nodeNetwork.stop());
    await pods.start();
    stops.push(() => pods.stop());
    stops.push(
      node.onChange(() => {
        nodeNetwork.nodeChanged();
        attempt(reporter.refresh(), 'the node was not reported');
      }),
    );
    await reporter.start();
    link.start();
    stops.push(() => link.stop());
    loadInventory(`${folders.state}/inventory.json`, machine.bootId, assets.inventoryCommand).then(
      (inventory) => reporter.setInventory(inventory),
      (error: unknown) => log.warn('the hardware is not known', { error }),
    );
    return {
      nodeName,
      joined,
      status: () => {
        const place = link.connected
          ? 'connected to the master'
          : identity.enrolment === undefined
            ? 'waiting to join'
            : 'without a link to the master';
        const why = link.obstacle === undefined ? '' : `: ${link.obstacle}`;
        return `node ${nodeName}, ${state.list('pods/').length} pods, ${place}${why}`;
      },
      stuck: async () => {
        const beat = { what: 'the link', forMs: clock.monotonicMs() - beatMs };
        // A device that waits to join has no heartbeat yet.
        const link = identity.enrolment === undefined ? undefined : beat;
        return stuckWork([pods.underway, ...nodeNetwork.underway, upkeep.underway, link]);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Refuses a folder that a newer release has written, before anything in it is read. */
async function claimFormat(folder: string): Promise<void> {
  const path = `${folder}/format`;
  const format = formatToWrite(await readTextFile(path), folder, SKERRY_VERSION);
  if (format !== undefined) await writeFileDurably(path, format);
}
