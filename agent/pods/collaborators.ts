import type { ContainerStatus, Pod } from '../../shared/schema/kubernetes-types.ts';
import type { ServiceDocument } from '../../shared/wire/network-documents.ts';
import type { Mount } from '../runtime/runtime.ts';

/** What pods/ needs of the network (network/pod-network.ts). Every method may be repeated; the outcome is the same. */
export interface PodNetwork {
  /**
   * Pins net, IPC and UTS namespaces for the pod, gives it an address (the one of `wanted`, if it is free) and a routed veth.
   * For hostNetwork pods the network is the host's and the address the node's.
   */
  setUp(pod: Pod, wanted: string | undefined): Promise<Sandbox>;
  /** Still there with its address? Known from the kernel, not from memory. */
  find(podUid: string): Promise<Sandbox | undefined>;
  tearDown(podUid: string): Promise<void>;
  /** Uids of every sandbox of this agent, for what no desired pod names any more. */
  list(): Promise<string[]>;
}

export interface Sandbox {
  podUid: string;
  ip: string;
  hostIp: string;
  namespaces: { network: string; ipc: string; uts: string };
  hostname: string;
}

/** What pods/ needs of volumes/: one file per volume type behind it. */
export interface PodVolumes {
  /**
   * Makes the pod's volumes on disk (configMap and secret contents atomically, secrets in memory-backed files) and answers
   * the host path of each. Throws VolumeError naming what is missing.
   */
  setUp(pod: Pod): Promise<ReadonlyMap<string, string>>;
  tearDown(podUid: string): Promise<void>;
  /** The mounts of one container, subPath applied, with etc-hosts, resolv.conf, hostname and termination-log. */
  mounts(
    pod: Pod,
    containerName: string,
    volumes: ReadonlyMap<string, string>,
    sandbox: Sandbox,
  ): Promise<Mount[]>;
  /** The termination message of the container's last run, if it wrote one. */
  terminationMessage(podUid: string, containerName: string): Promise<string>;
  list(): Promise<string[]>;
}

/** The cgroup over a pod's containers: made by the engine with the first of them, removed by pods/ with the pod. */
export interface PodCgroups {
  /** Waits for what is on its way out. Throws while a process is left in it. */
  tearDown(podUid: string): Promise<void>;
  /** Uids of every pod with a cgroup. */
  list(): Promise<string[]>;
}

/** The pod cannot start yet; `message` is what its event says (reason FailedMount). */
export class VolumeError extends Error {
  readonly reason = 'FailedMount';
}

/** A pod's documents beside it: from agent/state. */
export interface PodSources {
  configMap(namespace: string, name: string): Record<string, string> | undefined;
  configMapBinary(namespace: string, name: string): Record<string, string> | undefined;
  /** Values are base64, as in the API. */
  secret(namespace: string, name: string): Record<string, string> | undefined;
  /** Those of the namespace, and default/kubernetes; undefined: they have not come yet. */
  services(namespace: string): readonly ServiceDocument[] | undefined;
}

/** An event to be recorded against a pod or the node; equal ones are counted, not repeated. */
export interface EventRecorder {
  record(
    about: {
      kind: 'Pod' | 'Node';
      namespace: string;
      name: string;
      uid: string;
      fieldPath?: string;
    },
    event: {
      type: 'Normal' | 'Warning';
      reason: string;
      message: string;
    },
  ): void;
}

/** Where the containers' output goes: `<pod's folder>/<container>/<attempt>.log`, kept until the pod is forgotten. */
export interface PodLogs {
  /** Makes the folder; answers the file of this attempt. */
  prepare(pod: Pod, containerName: string, attempt: number): Promise<string>;
  /** The end of it for terminationMessagePolicy FallbackToLogsOnError: at most 80 lines and 2048 bytes. */
  tail(pod: Pod, containerName: string, attempt: number): Promise<string>;
  removeAttempt(podUid: string, containerName: string, attempt: number): Promise<void>;
  remove(podUid: string): Promise<void>;
  /** Uids of every pod with logs. */
  list(): Promise<string[]>;
}

/** Whether a running container counts as started and as ready: what probes say. Without probes both are true at once. */
export interface ContainerReadiness {
  isStarted(podUid: string, containerName: string): boolean;
  isReady(podUid: string, containerName: string): boolean;
}

/** A container that runs, for its probes. */
export interface ProbedContainer {
  name: string;
  /** The engine's id: another one is another run. */
  id: string;
  /** RFC 3339; absent: just now. */
  startedAt?: string;
  /** What was last told of this run, when an earlier life of the agent told it. */
  before?: { started: boolean; ready: boolean };
}

/** For what a container has to be killed. */
export interface FailedProbe {
  id: string;
  probe: 'liveness' | 'startup';
  /** The probe's own terminationGracePeriodSeconds. */
  graceSeconds?: number;
}

/** What pods need of probes/. */
export interface ContainerProbes extends ContainerReadiness {
  /** These containers of the pod run now, and no others; said again and again. `host` is the pod's address. */
  follow(pod: Pod, host: string, running: readonly ProbedContainer[]): void;
  failures(podUid: string): FailedProbe[];
  forget(podUid: string): void;
  /** Probes no more. */
  stop(): void;
}

/** What pods need to know of the node. */
export interface NodeFacts {
  name: string;
  ip(): string;
  memoryBytes: number;
  /** Quantities, as node.status.allocatable: what a resourceFieldRef answers where the container sets no limit. */
  allocatable(): { cpuMilli: number; memoryBytes: number };
}

/** What others may ask about the containers of this node; pod-worker.ts answers. */
export interface ContainerRuns {
  /** Undefined: this node has no such container. `attempt` is that of the newest run, `previousAttempt` of the one before. */
  look(
    podUid: string,
    container: string,
  ):
    | {
        status: ContainerStatus;
        attempt: number | undefined;
        previousAttempt: number | undefined;
      }
    | undefined;
  /** Calls back when a container of the pod may have changed; the answer ends that. */
  subscribe(podUid: string, changed: () => void): () => void;
}

/** What a node knows of one of its own pods. */
export interface LocalPod {
  ready: boolean;
  /** It is being deleted, or already gone. */
  terminating: boolean;
  /** undefined: nothing can be reached, as after the pod ended. */
  address: string | undefined;
}
