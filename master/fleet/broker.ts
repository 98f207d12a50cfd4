import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Aedes, type AedesOptions, type Client } from 'aedes';
import { writeToStream } from 'mqtt-packet';
import type { Logger } from '../../shared/logger.ts';
import {
  type Leaf,
  MAX_MESSAGE_BYTES,
  nodeTopic,
  parseNodeTopic,
  TOPICS,
} from '../../shared/wire/topics.ts';
import { CleanPersistence } from './clean-persistence.ts';
import { guardPacketSizes } from './packet-size-guard.ts';
import { mayPublish, maySubscribe, type NodePeer } from './topic-access.ts';

/** What the fleet hears of the nodes' connections. */
export interface BrokerEvents {
  /** Not checked yet; what this throws is logged. */
  message(node: string, leaf: Leaf, payload: Uint8Array): void;
  connected(node: string): void;
  disconnected(node: string): void;
}

export interface BrokerOptions {
  cluster: string;
  /** Whether the node is (still) enrolled, and with the key of this certificate. */
  isEnrolled(peer: NodePeer): boolean;
  /** The signed `head` of a node, made now. */
  head(node: string): Uint8Array | undefined;
  events: BrokerEvents;
  log: Logger;
  /** Absent: DRAIN_TIMEOUT_MS. */
  drainTimeoutMs?: number;
}

/** MQTT adds a fixed header, topic and packet id to a message. */
const PACKET_LIMITS = { connectBytes: 4 * 1024, packetBytes: MAX_MESSAGE_BYTES + 1024 };
const DRAIN_TIMEOUT_MS = 10_000;
const MAX_UNSENT_BYTES = 3 * 1024 * 1024;
const KEEPALIVE_LIMIT_SECONDS = 3600;
const NOT_AUTHORIZED = 5;

/**
 * The embedded MQTT 3.1.1 broker, for nodes only. aedes needs six corrections, numbered below where they are made:
 * 1. retained messages are looked up by topic, not scanned (clean-persistence.ts);
 * 2. a subscriber that does not read stalls nobody, and is closed before its backlog grows;
 * 3. no Nagle delay;
 * 4. a limit on packet sizes (packet-size-guard.ts);
 * 5. PUBACK comes before anything is done with a message: nothing here relies on it, `seen` and `applied` are the acknowledgements;
 * 6. clean sessions only, for the queue of a persistent one has no limit.
 * Two more things follow from its behaviour: own access rules replace its protection of `$SYS`, so they refuse that too; and when a
 * client id is taken over the old will is published late, so wills carry their session.
 */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #peers = new WeakMap<object, NodePeer>();
  #aedes: Aedes | undefined;
  /** The current connection of each node. */
  readonly #clients = new Map<string, Client>();

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    // Else it keeps a Buffer for each of the 65,536 packet ids, 7 MB, to save an allocation a packet.
    writeToStream.cacheNumbers = false;
    const broker = await Aedes.createBroker(this.#settings());
    broker.on('client', (client) => this.#connected(client));
    broker.on('clientDisconnect', (client) => this.#disconnected(client));
    broker.on('publish', ({ topic, payload }, client) => this.#published(topic, payload, client));
    broker.on('clientError', (client, error) => this.#logError(client, error));
    broker.on('connectionError', (client, error) => this.#logError(client, error));
    this.#aedes = broker;
  }

  async stop(): Promise<void> {
    const broker = this.#aedes;
    if (!broker) return;
    this.#aedes = undefined;
    await new Promise<void>((resolve) => broker.close(resolve));
  }

  /** Whether connections are taken. */
  get isOpen(): boolean {
    return this.#aedes !== undefined && !this.#aedes.closed;
  }

  /** Takes over a connection on which MQTT is spoken; `peer` is who its certificate says it is, undefined for nobody. */
  accept(connection: Duplex, peer: NodePeer | undefined): void {
    if (!this.#aedes) {
      connection.destroy();
      return;
    }
    if (peer !== undefined) this.#peers.set(connection, peer);
    // Fix 3: with Nagle's algorithm a QoS 1 exchange waits for a delayed TCP acknowledgement, 40 ms each way.
    if ('setNoDelay' in connection) (connection as Socket).setNoDelay(true);
    // Fix 4.
    guardPacketSizes(connection, PACKET_LIMITS, (bytes) =>
      this.#options.log.warn('closed a connection whose packet is too large', {
        node: peer?.node,
        bytes,
      }),
    );
    this.#aedes.handle(connection);
  }

  /**
   * Sends to a node that is connected; false when it is not, or does not read what it was sent before. `onTaken` is called when its
   * socket has room again, or is closed.
   */
  send(node: string, leaf: Leaf, payload: Uint8Array, onTaken: () => void): boolean {
    const client = this.#clients.get(node);
    if (!this.#aedes || !client || this.#isStuck(node, client)) return false;
    const topic = nodeTopic(this.#options.cluster, node, leaf);
    const { qos } = TOPICS[leaf];
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const packet = {
      cmd: 'publish',
      topic,
      payload: bytes,
      qos,
      retain: false,
      dup: false,
    } as const;
    this.#aedes.publish(packet, () => onTaken());
    return true;
  }

  isConnected(node: string): boolean {
    return this.#clients.has(node);
  }

  /** Ends a node's connection, as when its enrolment ends. */
  disconnect(node: string): void {
    this.#clients.get(node)?.close();
  }

  /** Ends a node's connection if its certificate no longer may: another device has the name now. */
  disconnectUnlessEnrolled(node: string): void {
    const client = this.#clients.get(node);
    const peer = client && this.#peers.get(client.conn);
    if (peer !== undefined && !this.#options.isEnrolled(peer)) client?.close();
  }

  #settings(): AedesOptions {
    const { cluster, head, drainTimeoutMs } = this.#options;
    return {
      // Fix 2: with a limited concurrency one full socket holds up every other delivery.
      concurrency: 0,
      drainTimeout: drainTimeoutMs ?? DRAIN_TIMEOUT_MS,
      // Only tells other brokers of a cluster that this one lives.
      heartbeatInterval: 24 * 3600 * 1000,
      keepaliveLimit: KEEPALIVE_LIMIT_SECONDS,
      maxClientsIdLength: 253,
      // Fixes 1 and 6.
      persistence: new CleanPersistence((topic) => {
        const parsed = parseNodeTopic(cluster, topic);
        return parsed?.leaf === 'head' ? head(parsed.node) : undefined;
      }),
      preConnect: (client, packet, done) => {
        const node = this.#peers.get(client.conn)?.node;
        // Fix 6.
        if (!packet.clean) return done(new Error('only clean sessions are taken'), false);
        const { will } = packet;
        if (will && node !== undefined) {
          const willPacket = {
            topic: will.topic,
            retain: will.retain ?? false,
            qos: will.qos ?? 0,
          };
          if (!mayPublish(cluster, node, willPacket)) {
            return done(new Error(`may not leave a will on ${will.topic}`), false);
          }
        }
        done(null, true);
      },
      authenticate: (client, _username, _password, done) => {
        const refusal = this.#refusal(client);
        if (refusal === undefined) return done(null, true);
        done(Object.assign(new Error(refusal), { returnCode: NOT_AUTHORIZED }), false);
      },
      authorizePublish: (client, packet, done) => {
        if (client === null) return done();
        const node = this.#peers.get(client.conn)?.node;
        // Sends the PUBACKs into a void: fix 2, for a client that only writes.
        if (node !== undefined && this.#isStuck(node, client))
          return done(new Error('reads nothing'));
        if (node !== undefined && mayPublish(cluster, node, packet)) return done();
        done(new Error(`may not publish to ${packet.topic}`));
      },
      authorizeSubscribe: (client, subscription, done) => {
        const node = this.#peers.get(client.conn)?.node;
        if (node !== undefined && maySubscribe(cluster, node, subscription.topic)) {
          return done(null, subscription);
        }
        this.#options.log.warn('refused a subscription', { node, topic: subscription.topic });
        // No subscription is the answer 0x80 [MQTT-3.9.3-2].
        done(null, null);
      },
    };
  }

  /** Why a client may not connect. The client id must be the node's name, or one node could push another off. */
  #refusal(client: Client): string | undefined {
    const peer = this.#peers.get(client.conn);
    if (peer === undefined) return 'no client certificate of a node of this cluster';
    const { node } = peer;
    if (client.id !== node)
      return `client id ${client.id} is not the node of the certificate, ${node}`;
    if (!this.#options.isEnrolled(peer)) {
      return `node ${node} is not enrolled, or another device has its name now`;
    }
    return undefined;
  }

  #isStuck(node: string, client: Client): boolean {
    const unsentBytes = client.conn.writableLength;
    if (unsentBytes <= MAX_UNSENT_BYTES) return false;
    this.#options.log.warn('closed a connection that does not read', { node, unsentBytes });
    client.close();
    return true;
  }

  #connected(client: Client): void {
    const node = this.#peers.get(client.conn)?.node;
    if (node === undefined) return;
    this.#clients.set(node, client);
    this.#options.log.info('node connected', { node });
    this.#options.events.connected(node);
  }

  #disconnected(client: Client): void {
    const node = this.#peers.get(client.conn)?.node;
    if (node === undefined || this.#clients.get(node) !== client) return;
    this.#clients.delete(node);
    this.#options.log.info('node disconnected', { node });
    this.#options.events.disconnected(node);
  }

  #published(topic: string, payload: Buffer | string, client: Client | null): void {
    if (client === null) return;
    const parsed = parseNodeTopic(this.#options.cluster, topic);
    if (!parsed) return;
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    try {
      this.#options.events.message(parsed.node, parsed.leaf, bytes);
    } catch (error) {
      this.#options.log.error('a message was lost', { ...parsed, error: String(error) });
    }
  }

  #logError(client: Client, error: Error): void {
    const node = this.#peers.get(client.conn)?.node;
    this.#options.log.warn('closed a connection', { node, reason: error.message });
  }
}
