import { Readable } from 'node:stream';

interface RetainedPacket {
  cmd: 'publish';
  topic: string;
  payload: Buffer;
  qos: 1;
  retain: true;
  dup: false;
}

/**
 * What aedes calls a persistence, for clean sessions: no queue that could grow for somebody who is away, no message kept. The one
 * kind of retained message, `head`, is made when it is asked for: a lookup by its exact topic, where aedes' own persistences
 * compare every stored message with every subscription.
 */
export class CleanPersistence {
  readonly #retained: (topic: string) => Uint8Array | undefined;

  /** `retained` answers the payload of a topic that has a retained message. */
  constructor(retained: (topic: string) => Uint8Array | undefined) {
    this.#retained = retained;
  }

  async setup(): Promise<void> {}
  async destroy(): Promise<void> {}

  createRetainedStreamCombi(topics: readonly string[]): Readable {
    const packets: RetainedPacket[] = [];
    for (const topic of topics) {
      const payload = this.#retained(topic);
      if (!payload) continue;
      const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
      packets.push({ cmd: 'publish', topic, payload: bytes, qos: 1, retain: true, dup: false });
    }
    return Readable.from(packets);
  }

  async storeRetained(): Promise<void> {}

  // No session outlives its connection.
  async addSubscriptions(): Promise<void> {}
  async removeSubscriptions(): Promise<void> {}
  async cleanSubscriptions(): Promise<void> {}
  async subscriptionsByClient(): Promise<never[]> {
    return [];
  }
  async subscriptionsByTopic(): Promise<never[]> {
    return [];
  }

  // Nothing is queued.
  async outgoingEnqueue(): Promise<void> {}
  async outgoingEnqueueCombi(): Promise<void> {}
  async outgoingUpdate(): Promise<void> {}
  async outgoingClearMessageId(): Promise<void> {}
  outgoingStream(): Readable {
    return Readable.from([]);
  }

  // QoS 2 is refused before it comes here.
  async incomingStorePacket(): Promise<void> {}
  async incomingGetPacket(): Promise<never> {
    throw new Error('no such packet');
  }
  async incomingDelPacket(): Promise<void> {}
  async cleanIncoming(): Promise<void> {}

  // A will lives with its connection.
  async putWill(): Promise<void> {}
  async delWill(): Promise<void> {}
  streamWill(): Readable {
    return Readable.from([]);
  }
}
