import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { connect, type MqttClient } from 'mqtt';
import type { Logger } from '../../shared/logger.ts';
import { encodeBody } from '../../shared/wire/body.ts';
import { decodeFrame, encodeMessage, type MessageKind } from '../../shared/wire/frame.ts';
import { type Message, MessageAssembler } from '../../shared/wire/message-assembler.ts';
import { encodeAlive } from '../../shared/wire/report-messages.ts';
import {
  type Leaf,
  leavesOf,
  nodeTopic,
  parseNodeTopic,
  TOPICS,
} from '../../shared/wire/topics.ts';
import { issueCertificate } from '../pki/x509.ts';
import {
  inflate,
  type NodeDirectory,
  rawPublicKey,
  type Signer,
  verifyBytes,
} from './node-crypto.ts';

/** What the tests of the link share: a certificate authority, nodes with keys, and a client that speaks as one of them. */

export const CLUSTER = 'testcluster';

export interface Certificate {
  cert: string;
  key: string;
}

export class TestAuthority {
  readonly ca: string;
  readonly #privateKey: string;

  private constructor(ca: string, privateKey: string) {
    this.ca = ca;
    this.#privateKey = privateKey;
  }

  static async create(): Promise<TestAuthority> {
    const keys = p256();
    const certificate = await issue('authority', 'test-ca', keys.privateKey, {
      publicKey: keys.publicKey,
      subject: { commonName: 'test-ca' },
    });
    return new TestAuthority(certificate, keys.privateKey);
  }

  async server(): Promise<Certificate> {
    const keys = p256();
    const subject = { commonName: 'skerry' };
    const cert = await issue('server', 'test-ca', this.#privateKey, { ...keys, subject });
    return { cert, key: keys.privateKey };
  }

  async client(commonName: string, organization = 'system:nodes'): Promise<Certificate> {
    const keys = p256();
    const subject = { commonName, organization };
    const cert = await issue('client', 'test-ca', this.#privateKey, { ...keys, subject });
    return { cert, key: keys.privateKey };
  }

  node(name: string): Promise<Certificate> {
    return this.client(`system:node:${name}`);
  }
}

function p256(): { publicKey: string; privateKey: string } {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

async function issue(
  profile: 'authority' | 'server' | 'client',
  issuer: string,
  issuerKey: string,
  holder: { publicKey: string; subject: { commonName: string; organization?: string } },
): Promise<string> {
  const outcome = await issueCertificate({
    profile,
    issuer: { commonName: issuer, privateKey: issuerKey },
    subject: holder.subject,
    holder: { publicKey: holder.publicKey },
    dnsNames: profile === 'server' ? ['localhost'] : [],
    addresses: profile === 'server' ? ['127.0.0.1'] : [],
    notAfterMs: Date.UTC(2100, 0, 1),
  });
  if ('refused' in outcome) throw new Error(outcome.refused);
  return outcome.certificate;
}

export interface NodeIdentity {
  name: string;
  signing: { publicKey: KeyObject; privateKey: KeyObject };
  sealing: { publicKey: KeyObject; privateKey: KeyObject };
}

export function newIdentity(name: string): NodeIdentity {
  return {
    name,
    signing: generateKeyPairSync('ed25519'),
    sealing: generateKeyPairSync('x25519'),
  };
}

export function directoryOf(identities: readonly NodeIdentity[]): NodeDirectory {
  const find = (name: string) => identities.find((identity) => identity.name === name);
  const raw = (key: KeyObject | undefined) => key && rawPublicKey(key).toString('base64');
  return {
    signingKey: (node) => raw(find(node)?.signing.publicKey),
    sealingKey: (node) => raw(find(node)?.sealing.publicKey),
    holds: (node) => find(node) !== undefined,
  };
}

export class TestSigner implements Signer {
  readonly keys = generateKeyPairSync('ed25519');

  sign(bytes: Uint8Array): Uint8Array {
    return sign(null, bytes, this.keys.privateKey);
  }
}

/** Keeps the lines, for tests that ask why something was refused. */
export class TestLogger implements Logger {
  readonly lines: string[] = [];

  debug(): void {}
  info(): void {}
  warn(message: string, fields?: Record<string, unknown>): void {
    this.lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  }
  error(message: string, fields?: Record<string, unknown>): void {
    this.warn(message, fields);
  }
  child(): Logger {
    return this;
  }
}

/** The arguments of the next such event; other than node's `once`, an error does not reject it. */
export function eventOf(emitter: unknown, name: string): Promise<unknown[]> {
  return new Promise((resolve) => {
    (emitter as EventEmitter).once(name, (...values: unknown[]) => resolve(values));
  });
}

/** Resolves when `condition` holds; looks again each time the event loop turns. Throws when it never does. */
export async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`${what} did not come about`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A frame as a node makes it. */
export function nodeFrames(
  identity: NodeIdentity,
  leaf: Leaf,
  header: { kind: MessageKind; session: string; sequence: number },
  body: Uint8Array,
): Uint8Array[] {
  return encodeMessage(
    { cluster: CLUSTER, node: identity.name, leaf },
    { ...header, epoch: 0, term: 0, generation: 0 },
    body,
    { sign: (bytes) => sign(null, bytes, identity.signing.privateKey) },
  );
}

/** What a test client of the broker needs. */
export function connectMqtt(options: {
  port: number;
  ca: string;
  certificate?: Certificate;
  clientId: string;
  will?: { topic: string; payload: Buffer };
  webSocket?: boolean;
  clean?: boolean;
}): MqttClient {
  const { port, ca, certificate, clientId, will, webSocket, clean = true } = options;
  const tls = { ca, ...certificate };
  const client = connect(webSocket ? `wss://127.0.0.1:${port}/mqtt` : `mqtts://127.0.0.1:${port}`, {
    ...tls,
    ...(webSocket ? { wsOptions: tls } : { ALPNProtocols: ['mqtt'] }),
    protocolVersion: 4,
    clientId,
    clean,
    reconnectPeriod: 0,
    keepalive: 60,
    ...(will ? { will: { ...will, qos: 0, retain: false } } : {}),
  });
  client.on('connect', () => {
    if ('setNoDelay' in client.stream) (client.stream as Socket).setNoDelay(true);
  });
  return client;
}

/** A node on the link, without what an agent does: it signs, sends, checks and keeps what comes. */
export class TestNode {
  readonly identity: NodeIdentity;
  readonly session: string;
  readonly client: MqttClient;
  readonly received: (Message & { leaf: Leaf })[] = [];
  readonly #masterKey: KeyObject;
  readonly #assemblers = new Map<Leaf, MessageAssembler>();
  #sequence = 0;

  constructor(parts: {
    identity: NodeIdentity;
    session: string;
    masterKey: KeyObject;
    port: number;
    ca: string;
    certificate: Certificate;
    webSocket?: boolean;
  }) {
    this.identity = parts.identity;
    this.session = parts.session;
    this.#masterKey = parts.masterKey;
    const { name } = parts.identity;
    const header = { kind: 'alive' as const, session: parts.session, sequence: 1_000_000 };
    const [will] = nodeFrames(parts.identity, 'al', header, encodeAlive({ up: false }));
    this.client = connectMqtt({
      ...parts,
      clientId: name,
      will: { topic: nodeTopic(CLUSTER, name, 'al'), payload: Buffer.from(will ?? []) },
    });
    this.client.on('error', () => {});
    this.client.on('message', (topic, payload) => this.#receive(topic, payload));
  }

  async ready(): Promise<this> {
    if (!this.client.connected) await eventOf(this.client, 'connect');
    const topics = leavesOf('down').map((leaf) => nodeTopic(CLUSTER, this.identity.name, leaf));
    await this.client.subscribeAsync(topics, { qos: 1 });
    return this;
  }

  async send(leaf: Leaf, kind: MessageKind, body: object | Uint8Array): Promise<number> {
    const bytes = body instanceof Uint8Array ? body : encodeBody(body);
    this.#sequence += 1;
    const header = { kind, session: this.session, sequence: this.#sequence };
    for (const frame of nodeFrames(this.identity, leaf, header, bytes)) {
      await this.publish(leaf, frame);
    }
    return this.#sequence;
  }

  async publish(leaf: Leaf, frame: Uint8Array): Promise<void> {
    const topic = nodeTopic(CLUSTER, this.identity.name, leaf);
    await this.client.publishAsync(topic, Buffer.from(frame), { qos: TOPICS[leaf].qos });
  }

  /** The next message of a kind that came, taken from the list. */
  async next(kind: MessageKind): Promise<Message & { leaf: Leaf }> {
    await until(() => this.received.some((message) => message.header.kind === kind), kind);
    const index = this.received.findIndex((message) => message.header.kind === kind);
    return this.received.splice(index, 1)[0] as Message & { leaf: Leaf };
  }

  async end(): Promise<void> {
    await this.client.endAsync(true);
  }

  #receive(topic: string, payload: Uint8Array): void {
    const parsed = parseNodeTopic(CLUSTER, topic);
    if (!parsed) return;
    const { leaf, node } = parsed;
    const frame = decodeFrame({ cluster: CLUSTER, node, leaf }, payload, (signed, signature) =>
      verifyBytes(this.#masterKey, signed, signature),
    );
    const assembler =
      this.#assemblers.get(leaf) ?? new MessageAssembler({ inflate, maxBodyBytes: 64 << 20 });
    this.#assemblers.set(leaf, assembler);
    const message = assembler.add(frame);
    if (message) this.received.push({ ...message, leaf });
  }
}
