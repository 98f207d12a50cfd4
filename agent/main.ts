import { hostname } from 'node:os';
import type { Logger } from '../shared/logger.ts';
import type { Node as KubeNode } from '../shared/schema/kubernetes-types.ts';
import { KUBERNETES_VERSION, SKERRY_VERSION } from '../shared/version.ts';
import type { AgentConfig } from './config.ts';
import { runCommand } from './host/command.ts';
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
import { PodWorker } from './pods/pod-worker.ts';
import { chooseRuntime } from './runtime/choose-runtime.ts';
import { NamespacePins } from './sandbox/namespace-pins.ts';
import { DiskState } from './state/disk-state.ts';
import { SavedPodSources } from './state/pod-sources.ts';
import { LogStream } from './streams/logs.ts';
import { PodLogFiles } from './streams/pod-log-files.ts';
import { Volumes } from './volumes/volumes.ts';

export interface AgentParts {
  config: AgentConfig;
  /** Asked only when the device has not joined yet. */
  join: { server: string; token: string } | undefined;
  log: Logger;
  assets: { inventoryCommand: readonly string[] };
  onFatal(error: Error): void;
}

export interface RunningAgent {
  /** The link and the workers end; containers go on. */
  stop(): Promise<void>;
}
