import { createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { SystemClock } from '../agent/host/system-clock.ts';
import { Membership } from '../agent/link/enrol.ts';
import { Identity } from '../agent/link/identity.ts';
import { LinkConnection } from '../agent/link/link.ts';
import { Link } from '../agent/link/session.ts';
import { DiskState } from '../agent/state/disk-state.ts';
import type { StreamHandler } from '../agent/streams/stream.ts';
import { CertificateChild } from '../master/pki/certificate-child.ts';
import type { Clock } from '../shared/reconcile/clock.ts';
import { NODES } from '../shared/resources/node.ts';
import { PODS } from '../shared/resources/pod.ts';
import { SECRETS } from '../shared/resources/secret.ts';
import type { Pod, Secret } from '../shared/schema/kubernetes-types.ts';
import { formatJoinToken, newJoinToken } from '../shared/wire/join-token.ts';
import { nodeTopic } from '../shared/wire/topics.ts';
import { builtCertificateChild } from './builders/certificate-child.ts';
import { CollectingLogger } from './builders/collecting-logger.ts';
import { TestMaster } from './builders/test-master.ts';

const STAMPS = { uid: '', resourceVersion: '', creationTimestamp: '' };
const until = <T>(check: () => T | Promise<T>) =>
  vi.waitFor(check, { timeout: 10_000, interval: 10 });

/** The device's side, as the agent composes it; `stop` and `start` are a restart of its process. */
class TestDevice {
  readonly folder: string;
  readonly nodeName: string;
  readonly logger = new CollectingLogger();
  readonly streams: StreamHandler[];
  refusal: string | undefined;
  tokenIsForgotten = false;
  /** Instead of the token of `start`, from the next try on. */
  token: string | undefined;
  clock: Clock = new SystemClock();
  identity: Identity;
  state: DiskState;
  link: Link | undefined;

  constructor(folder: string, nodeName: string, streams: StreamHandler[] = []) {
    this.folder = folder;
    this.nodeName = nodeName;
    this.streams = streams;
    this.identity = new Identity(folder);
    this.state = this.#newState();
  }

  async start(join?: { server: string; token: string; keepsTrying?: boolean }): Promise<void> {
    this.identity = new Identity(this.folder);
    await this.identity.open();
    this.state = this.#newState();
    await this.state.open();
    this.link = new Link({
      identity: this.identity,
      state: this.state,
      ...(join !== undefined && {
        join: {
          server: join.server,
          token: async () => this.token ?? join.token,
          nodeName: this.nodeName,
          keepsTrying: join.keepsTrying ?? false,
          forgetToken: () => {
            this.tokenIsForgotten = true;
          },
        },
      }),
      streams: this.streams,
      release: '0.1.0',
      clock: this.clock,
      // Without jitter, and without waiting: a test wants the shortest delays.
      random: () => 0,
      logger: this.logger,
      onRefused: (message) => {
        this.refusal = message;
      },
    });
    this.link.start();
  }

  async stop(): Promise<void> {
    await this.link?.stop();
    this.link = undefined;
    await this.state.close();
  }

  #newState(): DiskState {
    return new DiskState({
      folder: this.folder,
      unseal: (document) => this.identity.unseal(document),
      logger: this.logger,
    });
  }
}

describe('the link between a device and its master', () => {
  const root = mkdtempSync(join(tmpdir(), 'skerry-link-'));
  const master = new TestMaster({
    folder: join(root, 'master/pki'),
    certificateChild: builtCertificateChild(),
  });
  const devices: TestDevice[] = [];

  beforeAll(() => master.start());
  afterEach(async () => {
    for (const device of devices.splice(0)) await device.stop();
  });
  afterAll(async () => {
    await master.stop();
    rmSync(root, { recursive: true });
  });

  function device(nodeName: string, streams?: StreamHandler[]): TestDevice {
    const made = new TestDevice(join(root, 'agents', nodeName), nodeName, streams);
    devices.push(made);
    return made;
  }

  async function joined(nodeName: string, streams?: StreamHandler[]): Promise<TestDevice> {
    const made = device(nodeName, streams);
    await made.start({ server: master.server, token: await master.parts.tokens.create() });
    await until(() => expect(made.link?.connected).toBe(true));
    return made;
  }

  function newPod(node: string, name: string, command: string): Pod {
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...STAMPS, name, namespace: 'default' },
      spec: {
        nodeName: node,
        containers: [
          {
            name: 'main',
            image: 'busybox',
            command: [command],
            env: [
              { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: `${name}-s`, key: 'p' } } },
            ],
          },
        ],
      },
    } as unknown as Pod;
  }

  function newSecret(name: string, value: string): Secret {
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...STAMPS, name, namespace: 'default' },
      type: 'Opaque',
      data: { p: btoa(value) },
    };
  }

  const imageOf = (made: TestDevice, name: string) => {
    const pod = made.state.get(`pods/default/${name}`)?.object as unknown as Pod | undefined;
    return pod?.spec?.containers?.[0]?.image;
  };
  const changeImage = (name: string, image: string) =>
    master.parts.registry.update(PODS, { namespace: 'default', name }, (current) => ({
      ...current,
      spec: {
        ...current.spec,
        containers: current.spec.containers.map((container) => ({ ...container, image })),
      },
    }));

  test('a pod and its Secret reach the disk, the Secret sealed, and its status comes back', async () => {
    const pi = await joined('pi-1.lan');
    expect(pi.link?.localAddress).toBe('127.0.0.1');
    await master.parts.registry.create(SECRETS, newSecret('web-s', 'correct horse'));
    const pod = await master.parts.registry.create(PODS, newPod('pi-1.lan', 'web', 'run'));
    await until(() => expect(imageOf(pi, 'web')).toBeDefined());
    const secret = pi.state.get('secrets/default/web-s')?.object as unknown as Secret;
    expect(atob(secret.data?.['p'] ?? '')).toBe('correct horse');
    const onDisk = readFileSync(join(pi.folder, 'state.log'), 'utf8');
    expect(onDisk).toContain('pods/default/web');
    expect(onDisk).not.toContain(btoa('correct horse'));
    await until(() => expect(master.parts.fleet.isSettled('pi-1.lan')).toBe(true));

    pi.link?.outbox.put({
      key: `pods/default/web/${pod.metadata.uid}`,
      body: { uid: pod.metadata.uid, status: { phase: 'Running', podIP: '10.42.0.9' } },
    });
    const key = { namespace: 'default', name: 'web' };
    await until(() =>
      expect(master.parts.registry.get(PODS, key).status).toMatchObject({ phase: 'Running' }),
    );
  });

  test('a connection that breaks midway, and a restart of either side, end where they should', async () => {
    const pi = await joined('pi-2');
    await master.parts.registry.create(SECRETS, newSecret('api-s', 'x'));
    await master.parts.registry.create(PODS, newPod('pi-2', 'api', 'run'));
    await until(() => expect(imageOf(pi, 'api')).toContain('busybox'));

    // Broken while changes are on their way.
    const changes = Array.from({ length: 5 }, (_, n) => changeImage('api', `busybox:${n}`));
    pi.link?.cut();
    await Promise.all(changes);
    await until(() => expect(imageOf(pi, 'api')).toContain('busybox:4'));

    // The device restarts, without token or server, and misses a change.
    await pi.stop();
    await changeImage('api', 'busybox:5');
    await pi.start();
    expect(imageOf(pi, 'api')).toContain('busybox:4');
    await until(() => expect(imageOf(pi, 'api')).toContain('busybox:5'));

    // The master restarts; what happens before the device is back reaches it.
    await master.stop();
    await until(() => expect(pi.link?.connected).toBe(false));
    await master.start();
    await changeImage('api', 'busybox:6');
    await until(() => expect(imageOf(pi, 'api')).toContain('busybox:6'));

    await master.parts.registry.delete(
      PODS,
      { namespace: 'default', name: 'api' },
      { gracePeriodSeconds: 0 },
    );
    await until(() => expect(pi.state.list('pods/')).toEqual([]));
    await until(() => expect(pi.state.list('secrets/')).toEqual([]));
  });

  test('a device that starts before its master waits for it', async () => {
    const pi = device('pi-3');
    const token = await master.parts.tokens.create();
    await master.stop();
    await pi.start({ server: master.server, token });
    await until(() => expect(pi.logger.lines.join('\n')).toContain('cannot join through'));
    await master.start();
    await until(() => expect(pi.link?.connected).toBe(true));
  });

  test('wrong, used, expired and foreign tokens, and a name that is taken, are refused with one sentence', async () => {
    const { tokens, authority } = master.parts;
    const used = await tokens.create();
    const first = device('pi-4');
    await first.start({ server: master.server, token: used });
    await until(() => expect(first.link?.connected).toBe(true));
    const random = (count: number) => new Uint8Array(count).map((_, n) => n * 7);
    const unknown = formatJoinToken(newJoinToken(random, authority.caSha256));
    const foreign = formatJoinToken(newJoinToken(random, 'ab'.repeat(32)));
    const cases = [
      {
        name: 'pi-5',
        token: used,
        says: 'the master refuses this device: the join token is used up',
      },
      {
        name: 'pi-5',
        token: unknown,
        says: 'the master refuses this device: the join token is unknown',
      },
      { name: 'pi-5', token: await tokens.create({ ttlSeconds: -1 }), says: 'expired at' },
      { name: 'pi-5', token: foreign, says: 'is not the master that this join token was made for' },
      { name: 'pi-5', token: 'nonsense', says: 'malformed' },
      { name: 'pi-4', token: await tokens.create(), says: 'held by another device' },
      { name: 'Pi_5', token: await tokens.create(), says: "cannot be a node's name" },
    ];
    for (const [n, { name, token, says }] of cases.entries()) {
      const refused = new TestDevice(join(root, 'refused', String(n)), name);
      devices.push(refused);
      await refused.start({ server: master.server, token });
      await until(() => expect(refused.refusal).toContain(says));
      expect(refused.refusal).not.toContain('\n');
    }
  });

  describe('a connection of its own', () => {
    /** Reads `subscription`; joined as `name`, whose agent is stopped. */
    async function opener(name: string) {
      const pi = await joined(name);
      const { enrolment, keys } = pi.identity;
      if (enrolment === undefined) throw new Error('not enrolled');
      await pi.stop();
      devices.splice(devices.indexOf(pi), 1);
      const topicOf = (node: string, leaf: 'd' | 'st' | 'al') =>
        nodeTopic(enrolment.clusterId, node, leaf);
      const open = (subscription: string) =>
        LinkConnection.open(
          {
            url: enrolment.broker,
            clientId: name,
            ca: enrolment.ca,
            certificate: enrolment.certificate,
            privateKey: keys.tls.export({ type: 'pkcs8', format: 'pem' }).toString(),
            will: { topic: topicOf(name, 'al'), payload: Buffer.from('x') },
            subscriptions: [{ topic: subscription, qos: 1 }],
            onMessage: () => {},
          },
          new AbortController().signal,
        );
      return { open, topicOf };
    }

    test('is cut when it publishes to another node’s topic, and refused when it would read one', async () => {
      const { open, topicOf } = await opener('pi-6');
      await joined('pi-7');
      const connection = await open(topicOf('pi-6', 'd'));
      connection.publish(topicOf('pi-7', 'st'), Buffer.from('x'), 1);
      await connection.closed;
      await expect(open(topicOf('pi-7', 'd'))).rejects.toThrow(
        'the broker refuses our subscriptions',
      );
      expect(master.parts.fleet.isConnected('pi-7')).toBe(true);
    });

    test('does not wait to gather small packets', async () => {
      const { open, topicOf } = await opener('pi-6');
      const setNoDelay = vi.spyOn(Socket.prototype, 'setNoDelay');
      const connection = await open(topicOf('pi-6', 'd'));
      const ports = (setNoDelay.mock.contexts as Socket[]).map(({ remotePort }) => remotePort);
      setNoDelay.mockRestore();
      expect(ports).toContain(Number(new URL(master.server).port));
      connection.cut();
    });
  });

  test('a log streams from the node to its reader, as fast as that reads', async () => {
    let sent = 0;
    const logs: StreamHandler = {
      kind: 'logs',
      async serve(_request, sink) {
        for (let n = 0; n < 64; n += 1) {
          await sink.write(Buffer.alloc(32_768, n));
          sent = n + 1;
        }
      },
    };
    await joined('pi-8', [logs]);
    // Connected to the broker, it is heard of with its first message.
    await until(() => expect(master.parts.fleet.isSettled('pi-8')).toBe(true));
    const request = {
      ...{ namespace: 'default', pod: 'p', uid: 'u', container: 'c' },
      ...{ follow: false, previous: false, timestamps: false },
    };
    const log = master.parts.fleet.streams.logs('pi-8', request, new AbortController().signal);
    const reader = log[Symbol.asyncIterator]();
    const first = await reader.next();
    expect(sent).toBeLessThan(40);
    let bytes = (first.value as Buffer).length;
    for (let next = await reader.next(); !next.done; next = await reader.next()) {
      bytes += next.value.length;
    }
    expect(bytes).toBe(64 * 32_768);
  });

  test('a certificate is renewed over the port, for the same node', async () => {
    const pi = await joined('pi-9');
    const before = pi.identity.enrolment?.certificate;
    const { logger, identity } = pi;
    const membership = new Membership({
      identity,
      clock: new SystemClock(),
      random: () => 0,
      logger,
    });
    expect(membership.renewalIsDue()).toBe(false);
    expect(await membership.renew(new AbortController().signal)).toBeUndefined();
    expect(identity.enrolment?.certificate).not.toBe(before);
    const connections = () =>
      pi.logger.lines.filter((line) => line.includes('connected to the master')).length;
    const one = connections();
    pi.link?.cut();
    await until(() => expect(connections()).toBe(one + 1));
  });

  test('a renewal that fails over a connection is told, tried again within the hour, and told no more when it is done', async () => {
    const pi = device('pi-18');
    const system = new SystemClock();
    const waiting: { delayMs: number; callback: () => void }[] = [];
    let aheadMs = 0;
    pi.clock = {
      nowMs: () => system.nowMs() + aheadMs,
      monotonicMs: () => system.monotonicMs(),
      after: (delayMs, callback) => {
        if (delayMs < 60 * 60 * 1000) return system.after(delayMs, callback);
        waiting.push({ delayMs, callback });
        return () => {};
      },
    };
    await pi.start({ server: master.server, token: await master.parts.tokens.create() });
    await until(() => expect(pi.link?.connected).toBe(true));
    const { enrolment } = pi.identity;
    if (enrolment === undefined) throw new Error('not enrolled');
    await pi.identity.saveEnrolment({ ...enrolment, server: 'https://127.0.0.1:1' });
    aheadMs = enrolment.lifetimeSeconds * 700;
    waiting.pop()?.callback();
    await until(() => expect(pi.link?.obstacle).toContain('could not be renewed'));
    expect(pi.link?.connected).toBe(true);

    await pi.identity.saveEnrolment(enrolment);
    const retry = waiting.pop();
    expect(retry?.delayMs).toBe(60 * 60 * 1000);
    retry?.callback();
    await until(() => expect(pi.link?.obstacle).toBeUndefined());
    expect(pi.identity.enrolment?.certificate).not.toBe(enrolment.certificate);
    expect(pi.link?.connected).toBe(true);
  });

  test('the same link works over WebSocket, for networks that let nothing else out', async () => {
    const pi = await joined('pi-11');
    const { enrolment } = pi.identity;
    if (enrolment === undefined) throw new Error('not enrolled');
    await pi.stop();
    const broker = `${master.server.replace('https', 'wss')}/mqtt`;
    await pi.identity.saveEnrolment({ ...enrolment, broker });
    await pi.start();
    await until(() => expect(pi.logger.lines.join('\n')).toContain(`"broker":"wss:`));
    await until(() => expect(master.parts.fleet.isSettled('pi-11')).toBe(true));
  });

  test('a device finds its master again at another address, and a broker that moved', async () => {
    const pi = await joined('pi-12');
    const { enrolment } = pi.identity;
    if (enrolment === undefined) throw new Error('not enrolled');
    for (const changed of [
      { server: 'https://127.0.0.1:1', broker: 'mqtts://127.0.0.1:1' },
      { server: master.server, broker: 'mqtts://127.0.0.1:1' },
    ]) {
      await pi.stop();
      await pi.identity.saveEnrolment({ ...enrolment, ...changed });
      await pi.start({ server: master.server, token: '' });
      await until(() => expect(pi.link?.connected).toBe(true));
      expect(pi.identity.enrolment).toMatchObject({ ...enrolment, certificate: expect.anything() });
    }
  });

  test('a device of one cluster is not taken into another', async () => {
    const pi = await joined('pi-13');
    await pi.stop();
    const random = (count: number) => new Uint8Array(count);
    const foreign = formatJoinToken(newJoinToken(random, 'ab'.repeat(32)));
    await pi.start({ server: master.server, token: foreign });
    await until(() => expect(pi.refusal).toContain('already belongs to another cluster'));
  });

  test('a device that has joined and runs as a service goes on in its own cluster, whatever token it is given', async () => {
    const pi = await joined('pi-15');
    await pi.stop();
    const foreign = formatJoinToken(newJoinToken((n) => new Uint8Array(n), 'ab'.repeat(32)));
    await pi.start({ server: master.server, token: foreign, keepsTrying: true });
    await until(() => expect(pi.link?.connected).toBe(true));
    expect(pi.logger.lines.join('\n')).toContain('already belongs to another cluster');
    expect(pi.refusal).toBeUndefined();
  });

  test('a service that is refused says so and goes on asking, with the token of then', async () => {
    const pi = device('pi-16');
    const token = await master.parts.tokens.create({ nodeName: 'another' });
    await pi.start({ server: master.server, token, keepsTrying: true });
    await until(() => expect(pi.link?.obstacle).toContain('for node "another"'));
    expect(pi.tokenIsForgotten).toBe(false);
    pi.token = await master.parts.tokens.create();
    await until(() => expect(pi.link?.connected).toBe(true));
    expect(pi.link?.obstacle).toBeUndefined();
    expect(pi.refusal).toBeUndefined();
    expect(pi.tokenIsForgotten).toBe(true);
  });

  test('a device without a clock whose certificate has ended renews it, also when the network was late', async () => {
    const pi = await joined('pi-17');
    const { enrolment, keys } = pi.identity;
    if (enrolment === undefined) throw new Error('not enrolled');
    await pi.stop();
    const [outcome] = await new CertificateChild(builtCertificateChild()).issue([
      {
        profile: 'client',
        issuer: {
          commonName: 'skerry-ca',
          privateKey: readFileSync(join(root, 'master/pki/ca.key'), 'utf8'),
        },
        subject: { commonName: 'system:node:pi-17', organization: 'system:nodes' },
        holder: {
          publicKey: createPublicKey(keys.tls).export({ type: 'spki', format: 'pem' }).toString(),
        },
        dnsNames: [],
        addresses: [],
        notAfterMs: Date.now() - 1000,
      },
    ]);
    if (outcome === undefined || 'refused' in outcome) throw new Error('no certificate');
    await pi.identity.saveEnrolment({ ...enrolment, certificate: outcome.certificate });
    const system = new SystemClock();
    pi.clock = {
      nowMs: () => 0,
      monotonicMs: () => system.monotonicMs(),
      after: (delayMs, callback) => system.after(delayMs, callback),
    };
    await master.stop();
    await pi.start();
    await until(() => expect(pi.link?.obstacle).toContain('ECONNREFUSED'));
    await master.start();
    await until(() => expect(pi.link?.connected).toBe(true));
  });

  test('a node that is deleted is cut off and can only join anew', async () => {
    const pi = await joined('pi-10');
    await master.parts.registry.delete(NODES, { namespace: '', name: 'pi-10' });
    await until(() => expect(pi.link?.connected).toBe(false));
    await until(() => expect(pi.logger.lines.join('\n')).toContain('Not authorized'));
    await until(() => expect(pi.link?.obstacle).toContain('the join token is used up'));
    expect(pi.logger.lines.join('\n')).toContain('was removed: join again with a token');
    pi.token = await master.parts.tokens.create();
    await until(() => expect(pi.link?.connected).toBe(true));
    await master.parts.registry.delete(NODES, { namespace: '', name: 'pi-10' });
    await until(() => expect(pi.link?.connected).toBe(false));
    await pi.stop();
    pi.token = undefined;
    await pi.start({ server: master.server, token: await master.parts.tokens.create() });
    await until(() => expect(pi.link?.connected).toBe(true));
  });

  test('a device that adopts a name pushes its former device out, for good', async () => {
    const former = await joined('pi-11');
    const heir = new TestDevice(join(root, 'agents', 'pi-11-anew'), 'pi-11');
    devices.push(heir);
    const { tokens } = master.parts;
    const token = await tokens.create({ nodeName: 'pi-11', adopts: true });
    await heir.start({ server: master.server, token });
    await until(() => expect(heir.link?.connected).toBe(true));
    await until(() => expect(former.logger.lines.join('\n')).toContain('Not authorized'));
    expect(former.link?.connected).toBe(false);
    expect(heir.link?.connected).toBe(true);
  });
});
