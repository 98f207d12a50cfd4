import type { Duplex } from 'node:stream';
import type { Logger } from '../../shared/logger.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { NODES } from '../../shared/resources/node.ts';
import { SKERRY_VERSION } from '../../shared/version.ts';
import { decodeBody, encodeBody } from '../../shared/wire/body.ts';
import { type EpochMark, readApplied, readHello } from '../../shared/wire/desired-messages.ts';
import { FrameError } from '../../shared/wire/frame.ts';
import type { ClusterNetworkDocument } from '../../shared/wire/network-documents.ts';
import { releaseRefusal } from '../../shared/wire/release-skew.ts';
import { readAlive, readReports, type Seen } from '../../shared/wire/report-messages.ts';
import { decodeStreamMessage } from '../../shared/wire/stream-messages.ts';
import type { Leaf } from '../../shared/wire/topics.ts';
import type { NodeStreams } from '../api/node-streams.ts';
import type { Registry } from '../store/registry.ts';
import { epochOf } from '../store/revision.ts';
import { Broker } from './broker.ts';
import { DesiredState } from './desired-state.ts';
import type { NodeDirectory, Signer } from './node-crypto.ts';
import { NodeKeyRing } from './node-key-ring.ts';
import { type NodeMessage, NodeSessions } from './node-sessions.ts';
import { StatusIntake } from './status-intake.ts';
import { Streams } from './streams.ts';
import type { NodePeer } from './topic-access.ts';

export interface FleetOptions {
  /** The cluster id, `[a-z0-9-]+`: part of every topic and signature. */
  cluster: string;
  registry: Registry;
  directory: NodeDirectory;
  signer: Signer;
  clock: Clock;
  log: Logger;
  /** What every node is told of the network; absent: nothing. */
  network?: ClusterNetworkDocument;
  /** Unique ids for streams. */
  newUid: () => string;
  /** A connected node is not served; the message is one sentence for the user. */
  onRefused?: (node: string, message: string) => void;
}

/** How far a node may raise the epoch: there are 8,191 of them. */
const MAX_EPOCH_STEP = 8;

/** The master's side of the link: desired state out, status in, streams both ways, over the embedded broker. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #broker: Broker;
  readonly #sessions: NodeSessions;
  readonly #desired: DesiredState;
  readonly #intake: StatusIntake;
  readonly #streams: Streams;
  /** Nodes that told of a restore since the start. */
  readonly #restoreTold = new Set<string>();
  #stopWatch: (() => void) | undefined;

  constructor(options: FleetOptions) {
    const { cluster, registry, directory, signer, clock, log, newUid, network } = options;
    this.#options = options;
    const keys = new NodeKeyRing(directory);
    const epoch = () => epochOf(registry.cache.revision());
    this.#broker = new Broker({
      cluster,
      log,
      isEnrolled: ({ node, keySha256 }) => directory.holds(node, keySha256),
      head: (node) => this.#sessions.encodeHead(node, this.#desired.head(node)),
      events: {
        message: (node, leaf, payload) => this.#message(node, leaf, payload),
        connected: (node) => this.#connected(node),
        disconnected: (node) => this.#disconnected(node),
      },
    });
    this.#sessions = new NodeSessions({
      cluster,
      keys,
      signer,
      transport: this.#broker,
      epoch,
      term: () => 0,
      log,
    });
    this.#desired = new DesiredState({
      cluster,
      registry,
      keys,
      outlet: this.#sessions,
      clock,
      epoch,
      log,
      ...(network && { network }),
      onRestored: (node, have) => this.#restored(node, have),
    });
    this.#intake = new StatusIntake({
      registry,
      clock,
      log,
      acknowledge: (node, session, seen) => {
        // Sequences begin anew with each session: this one's number would be another batch's.
        if (this.#sessions.sessionOf(node) !== session) return;
        this.#sessions.send(node, 'd', { kind: 'seen', body: encodeBody(seen) });
      },
      askForAll: (node) => {
        const seen: Seen = { sequence: 0, refused: [], resend: true };
        this.#sessions.send(node, 'd', { kind: 'seen', body: encodeBody(seen) });
      },
    });
    this.#streams = new Streams({
      send: (node, body) => this.#sessions.send(node, 'rq', { kind: 'stream', body }),
      newStreamId: newUid,
    });
  }

  get streams(): NodeStreams {
    return this.#streams;
  }

  /** The registry is open. */
  async start(): Promise<void> {
    this.#desired.start();
    this.#stopWatch = this.#options.registry.cache.watch(NODES, undefined, (events) => {
      for (const { type, object } of events) {
        const { name } = object.metadata;
        if (type === 'DELETED') this.#forget(name);
        else if (type === 'MODIFIED') this.#broker.disconnectUnlessEnrolled(name);
      }
    });
    await this.#broker.start();
  }

  /** Ends all connections; reports that were taken are written. */
  async stop(): Promise<void> {
    this.#stopWatch?.();
    this.#streams.stop();
    await this.#broker.stop();
    this.#desired.stop();
    await this.#intake.stop();
  }

  /** A connection on which MQTT is spoken, from the listener; `peer` is whom its certificate names. */
  accept(connection: Duplex, peer: NodePeer | undefined): void {
    this.#broker.accept(connection, peer);
  }

  /** Why no node can be reached at all, one sentence; undefined while all is well. */
  failure(): string | undefined {
    return this.#broker.isOpen ? undefined : 'the broker takes no connections';
  }

  isConnected(node: string): boolean {
    return this.#broker.isConnected(node);
  }

  /** Whether the node has saved all that it shall have. */
  isSettled(node: string): boolean {
    return this.#desired.isSettled(node);
  }

  #connected(node: string): void {
    this.#sessions.connected(node);
    this.#desired.connected(node);
  }

  #disconnected(node: string): void {
    this.#sessions.disconnected(node);
    this.#desired.disconnected(node);
    this.#streams.disconnected(node);
  }

  /** The node was deleted, and with it its enrolment. */
  #forget(node: string): void {
    this.#broker.disconnect(node);
    this.#sessions.forget(node);
    this.#intake.forget(node);
  }

  /** A store is restored while no master runs, so a node is believed this once: an evil one could use up the epochs. */
  async #restored(node: string, have: EpochMark): Promise<void> {
    const { registry } = this.#options;
    const step = have.epoch + 1 - epochOf(registry.cache.revision());
    if (this.#restoreTold.has(node) || step > MAX_EPOCH_STEP) return;
    this.#restoreTold.add(node);
    await registry.raiseEpoch(have.epoch + 1);
  }

  /** Nothing of this session is heard from now on, heartbeats included: the node shows as not ready, and says why in its own log too. */
  #refuse(node: string, message: string): void {
    this.#options.log.warn('refused a node', { node, reason: message });
    this.#options.onRefused?.(node, message);
    this.#sessions.send(node, 'd', { kind: 'refused', body: encodeBody({ message }) });
    this.#sessions.refuse(node);
  }

  #message(node: string, leaf: Leaf, payload: Uint8Array): void {
    const message = this.#sessions.receive(node, leaf, payload);
    if (!message) return;
    try {
      this.#take(message);
    } catch (error) {
      const isMalformed = error instanceof FrameError;
      const fields = { node, kind: message.header.kind, error: String(error) };
      if (isMalformed) this.#options.log.warn('refused a malformed message', fields);
      else this.#options.log.error('a message could not be processed', fields);
    }
  }

  #take({ node, header, body }: NodeMessage): void {
    switch (header.kind) {
      case 'hello': {
        const { have, want, capabilities, release } = readHello(decodeBody(body));
        const { generation } = have;
        this.#options.log.debug('hello', { node, generation, want, release });
        const refusal = releaseRefusal(SKERRY_VERSION, release);
        if (refusal !== undefined) {
          this.#refuse(node, refusal);
          return;
        }
        this.#sessions.setCapabilities(node, capabilities);
        this.#desired.heard(node, have, want);
        return;
      }
      case 'applied':
        this.#desired.heard(node, readApplied(decodeBody(body)).have);
        return;
      case 'alive':
        if (readAlive(body).up) this.#intake.alive(node);
        return;
      case 'reports':
        this.#intake.reports(node, { ...header, ...readReports(decodeBody(body)) });
        return;
      case 'stream':
        this.#streams.received(node, decodeStreamMessage(body));
        return;
      // These travel downwards; sessions refuse them on the leaves of a node.
      case 'head':
      case 'delta':
      case 'snapshot':
      case 'seen':
      case 'refused':
        return;
    }
  }
}
