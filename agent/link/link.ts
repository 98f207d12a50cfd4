import mqttClient, { type IClientOptions } from 'mqtt/lib/client';
import mqttTls from 'mqtt/lib/connect/tls';
import { writeToStream } from 'mqtt-packet';
import { unbracketed } from '../../shared/url-host.ts';

// mqtt.js's own entry loads every transport that it knows, and with them Node's HTTP and zlib: these two files are all that TLS needs.
const { default: MqttClient } = mqttClient;
const { default: openTls } = mqttTls;
type MqttClient = InstanceType<typeof MqttClient>;

const CONNECT_TIMEOUT_MS = 20_000;
/** The broker's silence that ends a connection is one and a half times this. */
const KEEPALIVE_SECONDS = 30;

export interface LinkOptions {
  /** mqtts://host:port, spoken after ALPN `mqtt`, or wss://host:port/mqtt. */
  url: string;
  clientId: string;
  /** PEM; only this authority is trusted. */
  ca: string;
  certificate: string;
  privateKey: string;
  will: { topic: string; payload: Uint8Array };
  subscriptions: readonly { topic: string; qos: 0 | 1 }[];
  onMessage(topic: string, payload: Uint8Array): void;
}

/**
 * One connection to the broker, MQTT 3.1.1, clean session; it is never mended: whoever wants another opens another, with its own
 * session and will. Nothing is queued for a connection that is gone.
 */
export class LinkConnection {
  readonly #client: MqttClient;
  readonly #closed: Promise<string>;

  private constructor(client: MqttClient, closed: Promise<string>) {
    this.#client = client;
    this.#closed = closed;
  }

  /** Connected and subscribed. Throws with the reason when either fails or `signal` aborts. */
  static async open(options: LinkOptions, signal: AbortSignal): Promise<LinkConnection> {
    // Else it keeps a Buffer for each of the 65,536 packet ids: 7 MB, for a packet every few seconds.
    writeToStream.cacheNumbers = false;
    const connect = await connectorFor(options);
    const client = connect();
    let reason = 'the broker closed the connection';
    // mqtt.js has no option for it; with Nagle's algorithm a QoS 1 exchange takes 44 ms. A WebSocket sees to it itself.
    client.on('connect', () =>
      (client.stream as { setNoDelay?(on: boolean): void }).setNoDelay?.(true),
    );
    client.on('error', (error) => {
      reason = describe(error);
    });
    // Messages may come with the SUBACK: nobody may be late for them.
    client.on('message', (topic, payload) => options.onMessage(topic, payload));
    const closed = new Promise<string>((resolve) => client.once('close', () => resolve(reason)));
    const connection = new LinkConnection(client, closed);
    const abort = () => client.end(true);
    signal.addEventListener('abort', abort);
    try {
      signal.throwIfAborted();
      await Promise.race([
        connected(client).then(() => subscribe(client, options.subscriptions)),
        closed.then((why) => {
          throw new Error(why);
        }),
      ]);
      return connection;
    } catch (error) {
      client.end(true);
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Resolves with the reason when the connection is over. */
  get closed(): Promise<string> {
    return this.#closed;
  }

  /** This end of the connection; undefined over WebSocket, where it is not to be seen. */
  get localAddress(): string | undefined {
    const { localAddress } = this.#client.stream as { localAddress?: string };
    return localAddress?.replace(/^::ffff:/, '');
  }

  /** Bytes that the socket has not taken yet. */
  get unsentBytes(): number {
    return this.#client.stream.writableLength;
  }

  /** Sends, or loses it when the connection is over: nobody is told which. */
  publish(topic: string, payload: Uint8Array, qos: 0 | 1): void {
    this.#publish(topic, payload, qos, () => {});
  }

  /** Resolves when the broker has it, or the connection is over, or after a second: a dead network must not hold up an exit. */
  async deliver(topic: string, payload: Uint8Array): Promise<void> {
    await withinASecond(
      new Promise<void>((resolve) => this.#publish(topic, payload, 1, resolve)),
      this.#closed,
    );
  }

  #publish(topic: string, payload: Uint8Array, qos: 0 | 1, done: () => void): void {
    if (!this.#client.connected) {
      done();
      return;
    }
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#client.publish(topic, bytes, { qos }, () => done());
  }

  /** Says goodbye, so that the will is not published; at most a second. */
  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#client.end(false, {}, () => resolve()));
    await withinASecond(ended, this.#closed);
    this.#client.end(true);
  }

  /** Cuts the connection, as a broken network would. */
  cut(): void {
    this.#client.end(true);
  }
}

/** Loads what the transport needs. The function connects at once: whoever calls it listens before anything else happens. */
async function connectorFor(options: LinkOptions): Promise<() => MqttClient> {
  const { protocol, hostname, port } = new URL(options.url);
  if (protocol === 'wss:') {
    const { connect } = await import('mqtt');
    return () => connect(options.url, clientOptions(options));
  }
  const address = {
    protocol: 'mqtts' as const,
    host: unbracketed(hostname),
    ...(port === '' ? {} : { port: Number(port) }),
  };
  const settings = { ...clientOptions(options), ...address };
  return () => new MqttClient((client) => openTls(client, client.options), settings);
}

function clientOptions(options: LinkOptions): IClientOptions {
  const { url, clientId, ca, certificate, privateKey, will } = options;
  const tls = { ca, cert: certificate, key: privateKey, rejectUnauthorized: true };
  const payload = Buffer.from(will.payload);
  return {
    ...tls,
    ...(url.startsWith('wss:') ? { wsOptions: tls } : { ALPNProtocols: ['mqtt'] }),
    protocolVersion: 4,
    clean: true,
    clientId,
    keepalive: KEEPALIVE_SECONDS,
    // Heartbeats go up all the time; only an answered ping shows that the other side is there.
    reschedulePings: false,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    resubscribe: false,
    queueQoSZero: false,
    will: { topic: will.topic, payload, qos: 0, retain: false },
  };
}

function connected(client: MqttClient): Promise<void> {
  return new Promise((resolve) => client.once('connect', () => resolve()));
}

function subscribe(client: MqttClient, subscriptions: LinkOptions['subscriptions']): Promise<void> {
  const wanted = Object.fromEntries(subscriptions.map(({ topic, qos }) => [topic, { qos }]));
  return new Promise((resolve, reject) => {
    client.subscribe(wanted, (error, granted) => {
      const refused = granted?.find(({ qos }) => qos > 2);
      if (error) reject(new Error(`the broker refuses our subscriptions: ${error.message}`));
      else if (refused) reject(new Error(`the broker refuses to let us read ${refused.topic}`));
      else resolve();
    });
  });
}

function describe(error: Error & { code?: unknown }): string {
  return error.message || String(error.code ?? 'the connection failed');
}

async function withinASecond(...awaited: Promise<unknown>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, 1000);
  });
  await Promise.race([...awaited, late]);
  clearTimeout(timer);
}
