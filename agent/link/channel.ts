import type { Logger } from '../../shared/logger.ts';
import { FrameError, type MessageKind } from '../../shared/wire/frame.ts';
import type { Message } from '../../shared/wire/message-assembler.ts';
import { encodeAlive } from '../../shared/wire/report-messages.ts';
import { type Leaf, leavesOf, nodeTopic, TOPICS } from '../../shared/wire/topics.ts';
import { brokerUrl, type Enrolment } from './enrolment.ts';
import type { Identity } from './identity.ts';
import { LinkConnection } from './link.ts';
import { LinkCodec } from './link-codec.ts';

/** The will is signed before the heartbeats that it ends, and must count as newer than all of them. */
const WILL_SEQUENCE = Number.MAX_SAFE_INTEGER;
/** The farewell of a connection that ends in order; only the will is newer. */
const FAREWELL_SEQUENCE = WILL_SEQUENCE - 1;

type Receiver = (leaf: Leaf, message: Message) => void;

/** One connection and its session: messages instead of topics and bytes. */
export class Channel {
  readonly #topicOf: (leaf: Leaf) => string;
  readonly #codec: LinkCodec;
  readonly #connection: LinkConnection;

  private constructor(
    connection: LinkConnection,
    codec: LinkCodec,
    topicOf: (leaf: Leaf) => string,
  ) {
    this.#connection = connection;
    this.#codec = codec;
    this.#topicOf = topicOf;
  }

  /**
   * Connects as this device. What comes before `attach` waits for it. Throws when there is no connection to be had; `signal` gives up.
   */
  static async open(parts: {
    identity: Identity;
    enrolment: Enrolment;
    session: string;
    signal: AbortSignal;
    logger: Logger;
  }): Promise<{ channel: Channel; attach(receiver: Receiver): void }> {
    const { identity, enrolment, session, logger } = parts;
    const { clusterId: cluster, nodeName: node } = enrolment;
    const topicOf = (leaf: Leaf) => nodeTopic(cluster, node, leaf);
    const leafOf = new Map(leavesOf('down').map((leaf) => [topicOf(leaf), leaf]));
    const codec = new LinkCodec({
      cluster,
      node,
      session,
      signingKey: identity.keys.signing,
      masterKey: enrolment.masterSigningKey,
    });
    const [will] = codec.write('al', 'alive', encodeAlive({ up: false }), WILL_SEQUENCE).frames;
    const early: [Leaf, Message][] = [];
    let receiver: Receiver = (leaf, message) => early.push([leaf, message]);
    /** A message that cannot be read is none, whenever it comes. */
    const guarded = (leaf: Leaf, receive: () => void) => {
      try {
        receive();
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        const { reason } = error;
        logger.warn(`refused a message of the master: ${error.message}`, { leaf, reason });
      }
    };
    const connection = await LinkConnection.open(
      {
        url: brokerUrl(enrolment),
        clientId: node,
        ca: enrolment.ca,
        certificate: enrolment.certificate,
        privateKey: identity.keys.tls.export({ type: 'pkcs8', format: 'pem' }).toString(),
        will: { topic: topicOf('al'), payload: will ?? new Uint8Array() },
        subscriptions: Array.from(leafOf, ([topic, leaf]) => ({ topic, qos: TOPICS[leaf].qos })),
        onMessage: (topic, payload) => {
          const leaf = leafOf.get(topic);
          if (leaf === undefined) return;
          guarded(leaf, () => {
            const message = codec.read(leaf, payload);
            if (message !== undefined) receiver(leaf, message);
          });
        },
      },
      parts.signal,
    );
    return {
      channel: new Channel(connection, codec, topicOf),
      attach: (next) => {
        receiver = next;
        for (const [leaf, message] of early.splice(0)) guarded(leaf, () => next(leaf, message));
      },
    };
  }

  /** Resolves with the reason when the connection is over. */
  get closed(): Promise<string> {
    return this.#connection.closed;
  }

  get localAddress(): string | undefined {
    return this.#connection.localAddress;
  }

  get unsentBytes(): number {
    return this.#connection.unsentBytes;
  }

  /** Sends a message, or loses it: whoever needs an answer waits for the master's. The number that it carries. */
  send(leaf: Leaf, kind: MessageKind, body: Uint8Array): number {
    const { frames, sequence } = this.#codec.write(leaf, kind, body);
    for (const frame of frames) {
      this.#connection.publish(this.#topicOf(leaf), frame, TOPICS[leaf].qos);
    }
    return sequence;
  }

  /** Ends the connection in order: the master is told, the will is not needed. */
  async close(): Promise<void> {
    const body = encodeAlive({ up: false });
    for (const frame of this.#codec.write('al', 'alive', body, FAREWELL_SEQUENCE).frames) {
      await this.#connection.deliver(this.#topicOf('al'), frame);
    }
    await this.#connection.close();
  }

  cut(): void {
    this.#connection.cut();
  }
}
