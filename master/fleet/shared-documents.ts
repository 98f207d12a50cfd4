import type { KubeObject } from '../../shared/meta/kube-object.ts';
import { ENDPOINT_SLICES } from '../../shared/resources/endpoint-slice.ts';
import { NODES } from '../../shared/resources/node.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import { SERVICES } from '../../shared/resources/service.ts';
import { NO_STATE_HASH, toggleInHash } from '../../shared/wire/desired-messages.ts';
import type { ClusterNetworkDocument } from '../../shared/wire/network-documents.ts';
import type { Registry } from '../store/registry.ts';
import {
  clusterNetworkDocument,
  endpointSliceDocument,
  peerDocument,
  serviceDocument,
} from './network-documents.ts';
import { sha256Hex } from './node-crypto.ts';
import type { PlannedDocument } from './plan-documents.ts';

/** Whoever has seen this many changes less gets everything anew. */
const HISTORY_SIZE = 20_000;

/**
 * The documents that every node has: Services, their slices, the nodes, the network's ranges. Each is made once for all nodes, when
 * its object changes. `version` counts the changes, and a node that has seen an earlier one gets what changed since.
 */
export class SharedDocuments {
  readonly #registry: Registry;
  readonly #network: ClusterNetworkDocument | undefined;
  readonly #documents = new Map<string, PlannedDocument>();
  /** The keys that changed, in order; the last one made the present version. */
  #history: string[] = [];
  #version = 0;
  #hash = NO_STATE_HASH;
  #stops: (() => void)[] = [];

  /** Without a `network` there is no such document. */
  constructor(parts: { registry: Registry; network: ClusterNetworkDocument | undefined }) {
    this.#registry = parts.registry;
    this.#network = parts.network;
  }

  /** `onChange` is called in the turn in which something changed, perhaps several times. */
  start(onChange: () => void): void {
    if (this.#network) this.#put(clusterNetworkDocument(this.#network));
    this.#stops = [
      this.#follow(SERVICES, serviceDocument, onChange),
      this.#follow(ENDPOINT_SLICES, endpointSliceDocument, onChange),
      this.#follow(NODES, peerDocument, onChange),
    ];
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  get version(): number {
    return this.#version;
  }

  /** The stateHash of all of them. */
  get hash(): string {
    return this.#hash;
  }

  get(key: string): PlannedDocument | undefined {
    return this.#documents.get(key);
  }

  all(): Iterable<PlannedDocument> {
    return this.#documents.values();
  }

  /** The keys of what changed, came or went after `version`; undefined when that is too long ago to know. */
  changedSince(version: number): Set<string> | undefined {
    const count = this.#version - version;
    if (count < 0 || count > this.#history.length) return undefined;
    return new Set(count === 0 ? [] : this.#history.slice(-count));
  }

  #follow<T extends KubeObject>(
    kind: ResourceKind<T>,
    documentOf: (object: T) => PlannedDocument,
    onChange: () => void,
  ): () => void {
    const { cache } = this.#registry;
    const { revision, objects } = cache.snapshot(kind);
    for (const object of objects) this.#put(documentOf(object));
    return cache.watch(kind, revision, (events) => {
      const before = this.#version;
      for (const { type, object } of events) {
        const document = documentOf(object);
        if (type === 'DELETED') this.#remove(document.key);
        else this.#put(document);
      }
      if (this.#version !== before) onChange();
    });
  }

  #put(document: PlannedDocument): void {
    const before = this.#documents.get(document.key);
    if (before?.version === document.version) return;
    this.#documents.set(document.key, document);
    this.#changed(document.key, before ? [before, document] : [document]);
  }

  #remove(key: string): void {
    const before = this.#documents.get(key);
    if (!before) return;
    this.#documents.delete(key);
    this.#changed(key, [before]);
  }

  #changed(key: string, toggled: readonly PlannedDocument[]): void {
    this.#hash = toggleInHash(this.#hash, toggled, sha256Hex);
    this.#version += 1;
    this.#history.push(key);
    // In bulk, so that a change costs no copy.
    if (this.#history.length > 2 * HISTORY_SIZE) this.#history = this.#history.slice(-HISTORY_SIZE);
  }
}
