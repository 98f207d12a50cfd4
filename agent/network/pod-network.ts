import type { Logger } from '../../shared/logger.ts';
import {
  type Cidr,
  cidrContains,
  formatCidr,
  parseCidr,
  parseIpv4,
} from '../../shared/meta/cidr.ts';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import { runCommand } from '../host/command.ts';
import { linkExists, readRoutes } from '../host/kernel-routes.ts';
import { enableForwarding } from '../host/sysctl.ts';
import type { PodNetwork, Sandbox } from '../pods/collaborators.ts';
import type { NamespaceKind, NamespacePins } from '../sandbox/namespace-pins.ts';
import { pickAddress } from './address-pool.ts';
import { podHostname } from './pod-hostname.ts';
import { linkName, linkPrefix, vethScript } from './veth.ts';

/**
 * Gives each pod a network of its own: a pinned namespace, a veth pair whose host end carries the route to the pod's one address,
 * and a fixed neighbour as gateway, so that there is no bridge and no ARP between pods. What exists is read from the kernel each
 * time, never remembered, so an agent that was killed finds every pod where it was.
 */
export class RoutedPodNetwork implements PodNetwork {
  readonly #agentId: string;
  readonly #pins: NamespacePins;
  readonly #nodeIp: () => string;
  readonly #podCidr: () => string | undefined;
  readonly #podMtuBytes: () => number;
  readonly #log: Logger;
  /** Addresses promised to pods whose link is not up yet. */
  readonly #reserved = new Set<string>();
  #last: string | undefined;

  constructor(parts: {
    agentId: string;
    pins: NamespacePins;
    nodeIp: () => string;
    podCidr: () => string | undefined;
    /** Ethernet's 1500 if absent. */
    podMtuBytes?: () => number;
    log: Logger;
  }) {
    this.#agentId = parts.agentId;
    this.#pins = parts.pins;
    this.#nodeIp = parts.nodeIp;
    this.#podCidr = parts.podCidr;
    this.#podMtuBytes = parts.podMtuBytes ?? (() => 1500);
    this.#log = parts.log;
  }

  async start(): Promise<void> {
    await this.#pins.start();
    await enableForwarding();
  }

  async setUp(pod: Pod, wanted: string | undefined): Promise<Sandbox> {
    const found = await this.find(pod.metadata.uid, pod);
    if (found !== undefined) return found;
    return pod.spec.hostNetwork === true
      ? await this.#setUpOnHost(pod)
      : await this.#setUpRouted(pod, wanted);
  }

  async #setUpOnHost(pod: Pod): Promise<Sandbox> {
    await this.#pins.create(pod.metadata.uid, ['ipc'], { inside: ':', outside: ':' });
    return this.#sandboxOnHost(pod.metadata.uid);
  }

  async #setUpRouted(pod: Pod, wanted: string | undefined): Promise<Sandbox> {
    const uid = pod.metadata.uid;
    const address = this.#reserve(wanted);
    try {
      const hostname = podHostname(pod);
      const link = linkName(this.#agentId, uid);
      // A link whose pins are gone (they were unmounted by hand) would keep the name and the address taken.
      await this.#deleteLink(link);
      const mtuBytes = this.#podMtuBytes();
      const script = vethScript({
        link,
        address,
        hostname,
        hostNamespacePid: process.pid,
        mtuBytes,
      });
      // When it fails the namespaces are gone again, and the link with them.
      await this.#pins.create(uid, ['net', 'ipc', 'uts'], script);
      this.#log.info('pod network set up', {
        pod: `${pod.metadata.namespace}/${pod.metadata.name}`,
        address,
        link,
      });
      return this.#sandbox(uid, address, hostname);
    } finally {
      this.#reserved.delete(address);
    }
  }

  async find(podUid: string, pod?: Pod): Promise<Sandbox | undefined> {
    if (!(await this.#pins.exist(podUid, ['ipc']))) return undefined;
    if (!(await this.#pins.exist(podUid, ['net', 'uts']))) {
      // Only a pod on the host's network has an IPC namespace alone.
      return pod === undefined || pod.spec.hostNetwork === true
        ? this.#sandboxOnHost(podUid)
        : undefined;
    }
    const link = linkName(this.#agentId, podUid);
    const route = readRoutes().find(({ device, prefix }) => device === link && prefix === 32);
    return route === undefined
      ? undefined
      : this.#sandbox(podUid, route.destination, pod === undefined ? '' : podHostname(pod));
  }

  async tearDown(podUid: string): Promise<void> {
    await this.#deleteLink(linkName(this.#agentId, podUid));
    await this.#pins.remove(podUid);
  }

  async list(): Promise<string[]> {
    return await this.#pins.list();
  }

  /** Removes every link and pin that carries the agent's id. */
  async purge(): Promise<void> {
    const prefix = linkPrefix(this.#agentId);
    const links = new Set(
      readRoutes()
        .map(({ device }) => device)
        .filter((device) => device.startsWith(prefix)),
    );
    const shown = await runCommand('ip', ['-o', 'link', 'show', 'type', 'veth']);
    for (const [, name] of shown.stdout.matchAll(/^\d+: ([^@:\s]+)/gm)) {
      if (name?.startsWith(prefix)) links.add(name);
    }
    for (const link of links) await this.#deleteLink(link);
    await this.#pins.purge();
  }

  /** Throws when the node has no range yet or the range is full. */
  #reserve(wanted: string | undefined): string {
    const text = this.#podCidr();
    if (text === undefined)
      throw new Error(
        'the node has no pod CIDR yet: the master assigns one when the node has registered',
      );
    const cidr: Cidr = parseCidr(text);
    // Synchronous from the reading to the reservation: two pods never get one address.
    const used = new Set(this.#reserved);
    for (const { destination, prefix } of readRoutes()) {
      if (prefix === 32 && cidrContains(cidr, parseIpv4(destination))) used.add(destination);
    }
    const address = pickAddress(cidr, used, wanted, this.#last);
    if (address === undefined)
      throw new Error(`every address of the node's pod CIDR ${formatCidr(cidr)} is taken`);
    this.#reserved.add(address);
    this.#last = address;
    return address;
  }

  async #deleteLink(link: string): Promise<void> {
    if (!linkExists(link)) return;
    const result = await runCommand('ip', ['link', 'delete', link], { allowFailure: true });
    if (result.exitCode !== 0 && !/Cannot find device/.test(result.stderr)) {
      throw new Error(`ip link delete ${link}: ${result.stderr.trim()}`);
    }
  }

  #sandbox(podUid: string, ip: string, hostname: string): Sandbox {
    const pin = (kind: NamespaceKind) => this.#pins.path(podUid, kind);
    return {
      podUid,
      ip,
      hostIp: this.#nodeIp(),
      namespaces: { network: pin('net'), ipc: pin('ipc'), uts: pin('uts') },
      hostname,
    };
  }

  #sandboxOnHost(podUid: string): Sandbox {
    return {
      podUid,
      ip: this.#nodeIp(),
      hostIp: this.#nodeIp(),
      namespaces: { network: 'host', ipc: this.#pins.path(podUid, 'ipc'), uts: 'host' },
      hostname: '',
    };
  }
}
