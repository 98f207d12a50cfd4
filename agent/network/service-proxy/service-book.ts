import type { Endpoint, Protocol } from './proxy-plan.ts';
import {
  type ProxiedService,
  type ProxiedSlice,
  readService,
  readSlice,
} from './saved-services.ts';

/** An endpoint of another node. */
export interface WatchedEndpoint extends Endpoint {
  protocol: Protocol;
}

/** The saved Services and slices, read, and who belongs to whom. */
export class ServiceBook {
  readonly services = new Map<string, ProxiedService>();
  readonly #slices = new Map<string, ProxiedSlice>();
  readonly #slicesOfService = new Map<string, Set<string>>();
  readonly #servicesOfPod = new Map<string, Set<string>>();

  /** Answers the service that is touched. */
  setService(key: string, object: unknown): string {
    if (object === undefined) this.services.delete(key);
    else this.services.set(key, readService(object));
    return key;
  }

  /** Answers the services that are touched. */
  setSlice(key: string, object: unknown): string[] {
    const before = this.#slices.get(key);
    const after = object === undefined ? undefined : readSlice(object);
    if (before !== undefined) this.#forget(key, before);
    if (after !== undefined) this.#remember(key, after);
    return [before?.service, after?.service].filter((service) => service !== undefined);
  }

  slicesOf(service: string): ProxiedSlice[] {
    const keys = [...(this.#slicesOfService.get(service) ?? [])];
    return keys.flatMap((key) => this.#slices.get(key) ?? []);
  }

  servicesOfPod(uid: string): string[] {
    return [...(this.#servicesOfPod.get(uid) ?? [])];
  }

  *remoteEndpoints(nodeName: string): Generator<WatchedEndpoint> {
    for (const { endpoints, ports } of this.#slices.values()) {
      for (const endpoint of endpoints) {
        if (endpoint.nodeName === nodeName) continue;
        for (const { port, protocol } of ports) yield { address: endpoint.address, port, protocol };
      }
    }
  }

  #forget(key: string, slice: ProxiedSlice): void {
    this.#slices.delete(key);
    if (slice.service === undefined) return;
    unlink(this.#slicesOfService, slice.service, key);
    for (const uid of podsOf(slice)) unlink(this.#servicesOfPod, uid, slice.service);
    // Another slice of the service may hold the same pod.
    for (const other of this.slicesOf(slice.service)) this.#linkPods(other);
  }

  #remember(key: string, slice: ProxiedSlice): void {
    this.#slices.set(key, slice);
    if (slice.service === undefined) return;
    link(this.#slicesOfService, slice.service, key);
    this.#linkPods(slice);
  }

  #linkPods(slice: ProxiedSlice): void {
    if (slice.service === undefined) return;
    for (const uid of podsOf(slice)) link(this.#servicesOfPod, uid, slice.service);
  }
}

function podsOf({ endpoints }: ProxiedSlice): string[] {
  return endpoints.flatMap(({ podUid }) => podUid ?? []);
}

function link(map: Map<string, Set<string>>, from: string, to: string): void {
  const known = map.get(from) ?? new Set();
  map.set(from, known.add(to));
}

function unlink(map: Map<string, Set<string>>, from: string, to: string): void {
  const known = map.get(from);
  known?.delete(to);
  if (known?.size === 0) map.delete(from);
}
