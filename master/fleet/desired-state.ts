import type { Logger } from '../../shared/logger.ts';
import { type KubeObject, objectKey } from '../../shared/meta/kube-object.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { CONFIG_MAPS } from '../../shared/resources/config-map.ts';
import { NODES } from '../../shared/resources/node.ts';
import { PODS } from '../../shared/resources/pod.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import { SECRETS } from '../../shared/resources/secret.ts';
import { encodeBody } from '../../shared/wire/body.ts';
import {
  type EpochMark,
  type Head,
  joinHashes,
  NO_STATE_HASH,
  toggleInHash,
  type WireDocument,
} from '../../shared/wire/desired-messages.ts';
import {
  type ClusterNetworkDocument,
  peerDocumentKey,
} from '../../shared/wire/network-documents.ts';
import type { Registry } from '../store/registry.ts';
import { Assignments } from './assignments.ts';
import { documentParts } from './document-parts.ts';
import { seal, sha256Hex } from './node-crypto.ts';
import { type Delivery, type MarkedPlan, NodeDelivery } from './node-delivery.ts';
import type { NodeKeyRing } from './node-key-ring.ts';
import type { OutgoingMessage } from './node-sessions.ts';
import {
  type DocumentPlan,
  diffDocuments,
  type PlannedDocument,
  planDocuments,
} from './plan-documents.ts';
import { SharedDocuments } from './shared-documents.ts';

/** How desired state leaves: NodeSessions. */
export interface DesiredOutlet {
  send(node: string, leaf: 'd' | 'head', message: OutgoingMessage): boolean;
  isConnected(node: string): boolean;
}

export interface DesiredStateOptions {
  cluster: string;
  registry: Registry;
  keys: NodeKeyRing;
  outlet: DesiredOutlet;
  clock: Clock;
  epoch: () => number;
  log: Logger;
  /** What every node is told of the network; absent: nothing. */
  network?: ClusterNetworkDocument;
  /** A node has seen a later state than the store, which was restored from a backup: may raise the epoch. It is answered afterwards. */
  onRestored: (node: string, have: EpochMark) => Promise<void>;
}

/** What was sent is waited for this long before the node is asked what it has. */
const RETRY_MS = { first: 5_000, max: 60_000 };
/** So many answers without a step forward are given at once; then one for each retry. */
const PROMPT_ANSWERS = 3;

interface NodeState {
  delivery: NodeDelivery;
  /** Its own documents may have changed. */
  isStale: boolean;
  answers: number;
  retryMs: number;
  cancelRetry: (() => void) | undefined;
}

/**
 * Tells every node what it shall have. The hello of a node is the correctness: whatever was lost, repeated or reordered before, the answer to it
 * is what is missing. Work is done per change and concerned node; a plan is made only for a node that is there to get it.
 */
export class DesiredState {
  readonly #options: DesiredStateOptions;
  readonly #assignments = new Assignments();
  readonly #shared: SharedDocuments;
  /** The JSON of shared documents that were sent, for the next node. */
  readonly #encoded = new WeakMap<PlannedDocument, Uint8Array>();
  readonly #nodes = new Map<string, NodeState>();
  #dueNodes: Set<string> | undefined;
  #stops: (() => void)[] = [];

  constructor(options: DesiredStateOptions) {
    this.#options = options;
    const { registry, network } = options;
    this.#shared = new SharedDocuments({ registry, network });
  }

  start(): void {
    const { cache } = this.#options.registry;
    this.#shared.start(() => this.#due(this.#nodes.keys()));
    const pods = cache.snapshot(PODS);
    for (const pod of pods.objects) this.#assignments.change(undefined, pod);
    this.#stops = [
      cache.watch(PODS, pods.revision, (events) => {
        for (const { type, object, previous } of events) {
          const next = type === 'DELETED' ? undefined : object;
          this.#changed(this.#assignments.change(previous, next));
        }
      }),
      cache.watch(NODES, pods.revision, (events) => {
        this.#changed(events.map(({ object }) => object.metadata.name));
      }),
      this.#watchReferences(CONFIG_MAPS, 'configmaps', pods.revision),
      this.#watchReferences(SECRETS, 'secrets', pods.revision),
    ];
  }

  stop(): void {
    this.#shared.stop();
    for (const stop of this.#stops) stop();
    this.#stops = [];
    for (const { cancelRetry } of this.#nodes.values()) cancelRetry?.();
    this.#nodes.clear();
  }

  /** The node's connection is new: nothing of what was sent before counts. */
  connected(node: string): void {
    this.#nodes.get(node)?.delivery.forgetHave();
  }

  disconnected(node: string): void {
    const state = this.#nodes.get(node);
    if (!state) return;
    this.#stopRetry(state);
    state.delivery.forgetHave();
  }

  /** A `hello` or `applied`: the node says what it has saved. */
  heard(node: string, have: EpochMark, want?: 'snapshot'): void {
    const { registry, epoch, log, onRestored } = this.#options;
    const revision = registry.cache.revision();
    const isLater = have.epoch === epoch() && have.generation > revision;
    if (have.epoch <= epoch() && !isLater) {
      this.#answer(node, have, want);
      return;
    }
    log.error('a node has a later state than the store: the store was restored from a backup', {
      node,
      have,
      revision,
      epoch: epoch(),
    });
    onRestored(node, have)
      .catch((error: unknown) => {
        log.error('the epoch could not be raised', { node, error: String(error) });
      })
      .finally(() => this.#answer(node, have, want));
  }

  #answer(node: string, have: EpochMark, want: 'snapshot' | undefined): void {
    const state = this.#state(node);
    const isForward = state.delivery.heard(have, this.#options.epoch(), want);
    if (isForward) {
      state.answers = 0;
      state.retryMs = RETRY_MS.first;
    }
    this.#bring(node, state);
  }

  /** The present `head` of a node. */
  head(node: string): OutgoingMessage {
    const { generation, hash } = this.#target(node, this.#state(node));
    const body: Head = { hash };
    return { kind: 'head', generation, body: encodeBody(body) };
  }

  /** Whether the node has confirmed all that it shall have. */
  isSettled(node: string): boolean {
    const state = this.#nodes.get(node);
    if (!state) return false;
    this.#target(node, state);
    return state.delivery.isSettled;
  }

  #watchReferences<T extends KubeObject>(
    kind: ResourceKind<T>,
    plural: 'configmaps' | 'secrets',
    revision: number,
  ): () => void {
    return this.#options.registry.cache.watch(kind, revision, (events) => {
      for (const { object } of events) {
        this.#changed(this.#assignments.usersOf(plural, objectKey(object)));
      }
    });
  }

  #changed(nodes: Iterable<string>): void {
    const known: string[] = [];
    for (const node of nodes) {
      const state = this.#nodes.get(node);
      if (!state) continue;
      if (this.#isOver(node)) {
        this.#stopRetry(state);
        this.#nodes.delete(node);
        continue;
      }
      state.isStale = true;
      known.push(node);
    }
    this.#due(known);
  }

  /** Collects what changes in one turn of the event loop, so that one message carries it. */
  #due(nodes: Iterable<string>): void {
    for (const node of nodes) {
      if (!this.#options.outlet.isConnected(node)) continue;
      if (!this.#dueNodes) {
        this.#dueNodes = new Set();
        queueMicrotask(() => this.#bringDue());
      }
      this.#dueNodes.add(node);
    }
  }

  /** Neither the node nor any pod for it is left. */
  #isOver(node: string): boolean {
    const exists = this.#options.registry.find(NODES, { namespace: '', name: node }) !== undefined;
    return !exists && !this.#assignments.hasPods(node);
  }

  #bringDue(): void {
    const due = this.#dueNodes ?? [];
    this.#dueNodes = undefined;
    for (const node of due) {
      const state = this.#nodes.get(node);
      if (state) this.#bring(node, state);
    }
  }

  /** Sends what is missing, unless something is under way. */
  #bring(node: string, state: NodeState): void {
    this.#target(node, state);
    if (state.delivery.isSettled) {
      state.answers = 0;
      state.retryMs = RETRY_MS.first;
      this.#stopRetry(state);
      return;
    }
    if (!this.#options.outlet.isConnected(node)) return;
    if (state.answers < PROMPT_ANSWERS) {
      const delivery = state.delivery.next(
        (version) => this.#shared.changedSince(version) !== undefined,
      );
      if (delivery) {
        state.answers += 1;
        this.#deliver(node, state, delivery);
      }
    }
    state.cancelRetry ??= this.#retryLater(node, state);
  }

  #retryLater(node: string, state: NodeState): () => void {
    const delayMs = state.retryMs;
    state.retryMs = Math.min(state.retryMs * 2, RETRY_MS.max);
    return this.#options.clock.after(delayMs, () => {
      state.cancelRetry = undefined;
      state.answers = PROMPT_ANSWERS - 1;
      // A node that already has it says so; any other says hello.
      if (state.delivery.isWaiting) this.#options.outlet.send(node, 'head', this.head(node));
      this.#bring(node, state);
    });
  }

  #stopRetry(state: NodeState): void {
    state.cancelRetry?.();
    state.cancelRetry = undefined;
  }

  /** The target is the present one: the shared documents are as it names them. */
  #deliver(node: string, state: NodeState, delivery: Delivery): void {
    const { target } = delivery;
    const bodies =
      delivery.kind === 'snapshot'
        ? this.#snapshotBodies(node, delivery)
        : this.#deltaBodies(node, delivery);
    const sendNext = () => {
      if (this.#nodes.get(node) !== state || !state.delivery.isUnderWay(target)) return;
      const next = bodies.next();
      if (next.done) return;
      this.#send(node, { kind: delivery.kind, generation: target.generation, body: next.value });
      // A part for each turn of the event loop: compressing and signing thousands of documents takes its time.
      setImmediate(() => {
        try {
          sendNext();
        } catch (error) {
          // The node does not confirm what it did not get, and is asked again.
          const fields = { node, error: String(error) };
          this.#options.log.error('a desired state could not be sent', fields);
        }
      });
    };
    sendNext();
  }

  #snapshotBodies(
    node: string,
    { replaces, target }: Delivery & { kind: 'snapshot' },
  ): Generator<Uint8Array> {
    const self = peerDocumentKey(node);
    const shared = [...this.#shared.all()].filter(({ key }) => key !== self);
    const documents = this.#encodeAll(node, [...target.plan.values()], shared);
    return documentParts('documents', documents, { replaces, hash: target.hash }, {});
  }

  #deltaBodies(
    node: string,
    { base, target, puts, deletes, sharedSince }: Delivery & { kind: 'delta' },
  ): Generator<Uint8Array> {
    const self = peerDocumentKey(node);
    const shared: PlannedDocument[] = [];
    const gone = [...deletes];
    for (const key of this.#shared.changedSince(sharedSince) ?? []) {
      const document = this.#shared.get(key);
      if (key === self) continue;
      if (document) shared.push(document);
      else gone.push(key);
    }
    const documents = this.#encodeAll(node, puts, shared);
    return documentParts('puts', documents, { base, hash: target.hash }, { deletes: gone });
  }

  *#encodeAll(
    node: string,
    own: readonly PlannedDocument[],
    shared: readonly PlannedDocument[],
  ): Generator<Uint8Array> {
    for (const document of own) yield encodeBody(this.#wireDocument(node, document));
    for (const document of shared) yield this.#encodeShared(document);
  }

  #encodeShared(document: PlannedDocument): Uint8Array {
    const known = this.#encoded.get(document);
    if (known) return known;
    const { key, version, object } = document;
    const encoded = encodeBody({ key, version, object });
    this.#encoded.set(document, encoded);
    return encoded;
  }

  #send(node: string, message: OutgoingMessage): void {
    const { kind, generation } = message;
    this.#options.log.debug(`sending a ${kind}`, { node, generation });
    this.#options.outlet.send(node, 'd', message);
  }

  #wireDocument(node: string, document: PlannedDocument): WireDocument {
    const { key, version, object, secret } = document;
    if (!secret) return { key, version, object };
    const sealingKey = this.#options.keys.sealingKey(node);
    if (!sealingKey) throw new Error(`a secret was planned for ${node}, which has no sealing key`);
    const { apiVersion = '', kind = '', metadata = {} } = object;
    const { name = '', namespace = '', uid = '' } = metadata as Record<string, string>;
    return {
      key,
      version,
      object: { apiVersion, kind, metadata: { name, namespace, uid } },
      sealed: seal(
        sealingKey.key,
        { cluster: this.#options.cluster, node },
        { key, version },
        encodeBody(object),
      ),
    };
  }

  /** Brings the plan up to date; its generation changes only when a document does. */
  #target(node: string, state: NodeState): MarkedPlan {
    const { target } = state.delivery;
    if (!state.isStale && target.sharedVersion === this.#shared.version) return target;
    const plan = state.isStale ? this.#plan(node) : target.plan;
    state.isStale = false;
    const next = this.#marked(node, plan, target);
    // The same documents have the same mark, whatever happened in between.
    state.delivery.setTarget(
      next.hash === target.hash ? { ...next, generation: target.generation } : next,
    );
    return state.delivery.target;
  }

  #state(node: string): NodeState {
    const known = this.#nodes.get(node);
    if (known) return known;
    const state: NodeState = {
      delivery: new NodeDelivery(this.#marked(node, this.#plan(node))),
      isStale: false,
      answers: 0,
      retryMs: RETRY_MS.first,
      cancelRetry: undefined,
    };
    this.#nodes.set(node, state);
    return state;
  }

  /** Costs what differs from `before`. */
  #marked(
    node: string,
    plan: DocumentPlan,
    before: Pick<MarkedPlan, 'plan' | 'ownHash'> = { plan: new Map(), ownHash: NO_STATE_HASH },
  ): MarkedPlan {
    const ownHash = toggleInHash(before.ownHash, toggledBetween(before.plan, plan), sha256Hex);
    const self = this.#shared.get(peerDocumentKey(node));
    const shared = toggleInHash(this.#shared.hash, self ? [self] : [], sha256Hex);
    return {
      plan,
      ownHash,
      sharedVersion: this.#shared.version,
      generation: this.#options.registry.cache.revision(),
      hash: joinHashes(ownHash, shared),
    };
  }

  #plan(name: string): MarkedPlan['plan'] {
    const { registry, keys } = this.#options;
    const sealingKey = keys.sealingKey(name);
    return planDocuments(
      registry.find(NODES, { namespace: '', name }),
      this.#assignments.podsOf(name),
      {
        planned: this.#assignments.planned,
        configMap: (namespace, configMap) =>
          registry.find(CONFIG_MAPS, { namespace, name: configMap }),
        secret: (namespace, secret) =>
          sealingKey && registry.find(SECRETS, { namespace, name: secret }),
        sealingKeyFingerprint: sealingKey?.fingerprint ?? '',
      },
    );
  }
}

/** The documents that only one of two plans has. */
function toggledBetween(before: DocumentPlan, after: DocumentPlan): PlannedDocument[] {
  if (before === after) return [];
  const { puts, deletes } = diffDocuments(before, after);
  const replaced = [...puts.map(({ key }) => key), ...deletes].flatMap(
    (key) => before.get(key) ?? [],
  );
  return [...replaced, ...puts];
}
