import { join } from 'node:path';
import { containerNamed } from '../../shared/resources/pod-containers.ts';
import type { Container, Pod, Volume, VolumeMount } from '../../shared/schema/kubernetes-types.ts';
import { ensureMemoryFolder, ensureTmpfs } from '../host/tmpfs.ts';
import {
  bindSubPath,
  freshFile,
  listFolder,
  readStart,
  removeFolder,
  writeIfChanged,
} from '../host/volume-files.ts';
import {
  type NodeFacts,
  type PodSources,
  type PodVolumes,
  type Sandbox,
  VolumeError,
} from '../pods/collaborators.ts';
import { ContainerConfigError, containerEnvironment } from '../pods/environment.ts';
import { expandVariables } from '../pods/expand-variables.ts';
import type { PodFieldContext } from '../pods/pod-fields.ts';
import type { Mount } from '../runtime/runtime.ts';
import { nodeHosts, podHosts } from './etc-hosts.ts';
import { formatResolver, isLoopbackOnly, parseResolver, podResolver } from './resolv-conf.ts';
import { VOLUME_KINDS } from './volume-kinds.ts';

export interface NodePodVolumesParts {
  /** `DIR/agent/pods`: a folder for each pod. */
  diskRoot: string;
  /** `/run/skerry/<agent id>/volumes`: what must never reach a disk; a tmpfs is mounted there where /run is none. */
  memoryRoot: string;
  sources: PodSources;
  node: NodeFacts;
  /** `cluster.local`, unless the cluster has another. */
  clusterDomain: () => string;
  /** Where the cluster's DNS server is reached; undefined as long as it is not known. */
  dnsAddress?: () => string | undefined;
  /** How large the /dev/shm is that the containers of a pod share; absent, each has one of its own. */
  sharedMemoryBytes?: number;
}

/** Beside the pod's volumes in memory; no volume is called so, as their names are DNS labels. */
const SHARED_MEMORY_FOLDER = '.shm';
/** As the engines' own /dev/shm. */
const SHARED_MEMORY_OPTIONS = 'mode=1777,nosuid,nodev,noexec';

/** Kubernetes' limit for one message (TerminationMessagePath). */
const MAX_MESSAGE_BYTES = 4096;
/** Larger than any sensible hosts or resolv.conf. */
const MAX_CONFIG_BYTES = 256 * 1024;

/**
 * The volumes and the small files (hosts, resolv.conf, hostname, termination log) of this node's pods. Each pod has a folder on disk
 * and, when it needs one, another in memory; both go as a whole, after everything mounted inside was unmounted.
 */
export class NodePodVolumes implements PodVolumes {
  readonly #parts: NodePodVolumesParts;
  /** The last look at the memory root: one at a time, or two pods would mount one tmpfs over the other and hide what is in it. */
  #memoryTurn: Promise<void> = Promise.resolve();

  constructor(parts: NodePodVolumesParts) {
    this.#parts = parts;
  }

  async setUp(pod: Pod): Promise<ReadonlyMap<string, string>> {
    await this.#shareMemory(pod);
    const paths = new Map<string, string>();
    for (const volume of pod.spec.volumes ?? []) {
      try {
        paths.set(volume.name, await this.#setUpOne(pod, volume));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${why}`);
      }
    }
    return paths;
  }

  async #setUpOne(pod: Pod, volume: Volume): Promise<string> {
    const kind = VOLUME_KINDS.find((one) => one.fits(volume));
    if (kind === undefined) throw new Error('no volume plugin matched');
    const { uid } = pod.metadata;
    return await kind.setUp(volume, {
      pod,
      diskFolder: join(this.#parts.diskRoot, uid, 'volumes', volume.name),
      memoryFolder: join(this.#parts.memoryRoot, uid, volume.name),
      ensureMemory: () => this.#ensureMemory(),
      sources: this.#parts.sources,
      fields: this.#fields({ ip: '', hostIp: this.#parts.node.ip() }),
    });
  }

  #ensureMemory(): Promise<void> {
    const ensure = () => ensureMemoryFolder(this.#parts.memoryRoot);
    this.#memoryTurn = this.#memoryTurn.then(ensure, ensure);
    return this.#memoryTurn;
  }

  /** A pod in the host's IPC namespace has the host's /dev/shm. */
  async #shareMemory(pod: Pod): Promise<void> {
    const { memoryRoot, sharedMemoryBytes } = this.#parts;
    if (sharedMemoryBytes === undefined || pod.spec.hostIPC === true) return;
    try {
      await ensureMemoryFolder(memoryRoot);
      await ensureTmpfs(this.#sharedMemory(pod), sharedMemoryBytes, SHARED_MEMORY_OPTIONS);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new VolumeError(`the pod's /dev/shm could not be mounted: ${why}`);
    }
  }

  #sharedMemory(pod: Pod): string {
    if (pod.spec.hostIPC === true) return '/dev/shm';
    return join(this.#parts.memoryRoot, pod.metadata.uid, SHARED_MEMORY_FOLDER);
  }

  async tearDown(podUid: string): Promise<void> {
    if (podUid === '') return;
    await removeFolder(join(this.#parts.memoryRoot, podUid));
    await removeFolder(join(this.#parts.diskRoot, podUid));
  }

  async mounts(
    pod: Pod,
    containerName: string,
    volumes: ReadonlyMap<string, string>,
    sandbox: Sandbox,
  ): Promise<Mount[]> {
    const container = containerOf(pod, containerName);
    const own: Mount[] = [];
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      own.push(await this.#volumeMount(pod, container, { mount, index }, volumes, sandbox));
    }
    const managed = [
      await this.#hosts(pod, sandbox),
      await this.#resolver(pod),
      ...(await this.#hostname(pod, sandbox)),
      await this.#terminationLog(pod, container),
      ...this.#sharedMemoryMount(pod),
    ];
    const taken = new Set(own.map(({ target }) => target));
    return [...own, ...managed.filter(({ target }) => !taken.has(target))];
  }

  async terminationMessage(podUid: string, containerName: string): Promise<string> {
    return await readStart(this.#terminationFile(podUid, containerName), MAX_MESSAGE_BYTES);
  }

  async list(): Promise<string[]> {
    const { diskRoot, memoryRoot } = this.#parts;
    return [...new Set([...(await listFolder(diskRoot)), ...(await listFolder(memoryRoot))])];
  }

  /** Removes the folders of every pod, and the tmpfs under them. */
  async purge(): Promise<void> {
    await removeFolder(this.#parts.memoryRoot);
    await removeFolder(this.#parts.diskRoot);
  }

  async #volumeMount(
    pod: Pod,
    container: Container,
    { mount, index }: { mount: VolumeMount; index: number },
    volumes: ReadonlyMap<string, string>,
    sandbox: Sandbox,
  ): Promise<Mount> {
    const source = volumes.get(mount.name);
    if (source === undefined) {
      throw new ContainerConfigError(
        `cannot find volume "${mount.name}" to mount into container "${container.name}"`,
      );
    }
    const subPath = this.#subPath(pod, container, mount, sandbox);
    const bound = join(
      this.#parts.diskRoot,
      pod.metadata.uid,
      'volume-subpaths',
      mount.name,
      container.name,
      String(index),
    );
    try {
      if (subPath !== '') await bindSubPath(source, subPath, bound);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(
        `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}": ${why}`,
      );
    }
    return {
      source: subPath === '' ? source : bound,
      target: mount.mountPath,
      readOnly: mount.readOnly === true || isReadOnly(pod, mount.name),
    };
  }

  #subPath(pod: Pod, container: Container, mount: VolumeMount, sandbox: Sandbox): string {
    if (mount.subPathExpr === undefined || mount.subPathExpr === '') return mount.subPath ?? '';
    const { sources } = this.#parts;
    const environment = containerEnvironment(pod, container, sources, this.#fields(sandbox));
    return expandVariables(mount.subPathExpr, (name) => environment.get(name));
  }

  async #hosts(pod: Pod, sandbox: Sandbox): Promise<Mount> {
    const source = join(this.#parts.diskRoot, pod.metadata.uid, 'etc-hosts');
    const text =
      pod.spec.hostNetwork === true
        ? nodeHosts(pod, await readStart('/etc/hosts', MAX_CONFIG_BYTES))
        : podHosts(pod, sandbox.ip, sandbox.hostname, this.#parts.clusterDomain());
    await writeIfChanged(source, text, 0o644);
    return { source, target: '/etc/hosts', readOnly: false };
  }

  async #resolver(pod: Pod): Promise<Mount> {
    const source = join(this.#parts.diskRoot, pod.metadata.uid, 'resolv.conf');
    const { dnsAddress, clusterDomain } = this.#parts;
    const address = dnsAddress?.();
    const cluster = address === undefined ? undefined : { address, domain: clusterDomain() };
    const resolver = podResolver(pod, await this.#nodeResolver(pod), cluster);
    await writeIfChanged(source, formatResolver(resolver), 0o644);
    return { source, target: '/etc/resolv.conf', readOnly: false };
  }

  /** A stub on the node's loopback is out of a pod's reach; the servers behind systemd-resolved's are in a file beside it. */
  async #nodeResolver(pod: Pod) {
    const own = parseResolver(await readStart('/etc/resolv.conf', MAX_CONFIG_BYTES));
    if (pod.spec.hostNetwork === true || !isLoopbackOnly(own)) return own;
    const behind = await readStart('/run/systemd/resolve/resolv.conf', MAX_CONFIG_BYTES);
    return behind === '' ? own : parseResolver(behind);
  }

  async #hostname(pod: Pod, { hostname }: Sandbox): Promise<Mount[]> {
    if (hostname === '') return [];
    const source = join(this.#parts.diskRoot, pod.metadata.uid, 'hostname');
    await writeIfChanged(source, `${hostname}\n`, 0o644);
    return [{ source, target: '/etc/hostname', readOnly: false }];
  }

  #sharedMemoryMount(pod: Pod): Mount[] {
    if (this.#parts.sharedMemoryBytes === undefined) return [];
    return [{ source: this.#sharedMemory(pod), target: '/dev/shm', readOnly: false }];
  }

  async #terminationLog(pod: Pod, container: Container): Promise<Mount> {
    const source = this.#terminationFile(pod.metadata.uid, container.name);
    await freshFile(source, 0o666);
    const target = container.terminationMessagePath ?? '/dev/termination-log';
    return { source, target, readOnly: false };
  }

  #terminationFile(podUid: string, containerName: string): string {
    return join(this.#parts.diskRoot, podUid, 'containers', containerName, 'termination-log');
  }

  #fields({ ip, hostIp }: { ip: string; hostIp: string }): PodFieldContext {
    const { name, allocatable } = this.#parts.node;
    return { podIp: ip, hostIp, nodeName: name, allocatable: allocatable() };
  }
}

function isReadOnly(pod: Pod, volumeName: string): boolean {
  const volume = pod.spec.volumes?.find(({ name }) => name === volumeName);
  return volume !== undefined && VOLUME_KINDS.some((kind) => kind.readOnly && kind.fits(volume));
}

function containerOf(pod: Pod, name: string): Container {
  const found = containerNamed(pod.spec, name);
  if (found === undefined) throw new Error(`the pod has no container ${name}`);
  return found;
}
