import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { CONFIG_MAPS } from '../../shared/resources/config-map.ts';
import { NODES } from '../../shared/resources/node.ts';
import { PODS } from '../../shared/resources/pod.ts';
import { SECRETS } from '../../shared/resources/secret.ts';
import { SERVICES } from '../../shared/resources/service.ts';
import { decodeBody } from '../../shared/wire/body.ts';
import type { EpochMark } from '../../shared/wire/desired-messages.ts';
import type { MemoryStore } from '../store/memory-store.ts';
import { epochOf } from '../store/revision.ts';
import { DesiredState } from './desired-state.ts';
import { directoryOf, newIdentity, TestLogger, until } from './fleet-fixture.ts';
import { NodeKeyRing } from './node-key-ring.ts';
import type { OutgoingMessage } from './node-sessions.ts';
import { RegistryFixture } from './registry-fixture.ts';
import { SimulatedAgent } from './simulated-agent.ts';

const identity = newIdentity('a');

interface Sent {
  leaf: 'd' | 'head';
  message: OutgoingMessage;
}

/** One node, whose messages wait until a test delivers, drops, repeats or reorders them. */
class Scene {
  readonly fixture: RegistryFixture;
  readonly log = new TestLogger();
  readonly down: Sent[] = [];
  readonly up: Parameters<ConstructorParameters<typeof SimulatedAgent>[0]>[0][] = [];
  readonly agent = new SimulatedAgent((answer) => this.up.push(structuredClone(answer)));
  readonly restored: EpochMark[] = [];
  isConnected = true;
  raisesEpoch = false;
  desired: DesiredState;

  constructor(store?: MemoryStore) {
    this.fixture = new RegistryFixture(store);
    this.desired = this.#newDesired();
  }

  async open(): Promise<this> {
    await this.fixture.open();
    await this.fixture.addNode('a');
    this.desired.start();
    return this;
  }

  /** As after a restart of the master: everything that was only in memory is forgotten. */
  restart(): void {
    this.desired.stop();
    this.desired = this.#newDesired();
    this.desired.start();
  }

  sendUp(index = 0): void {
    const [answer] = this.up.splice(index, 1);
    if (!answer) return;
    const want = answer.kind === 'hello' ? answer.body.want : undefined;
    this.desired.heard('a', answer.body.have, want);
  }

  sendDown(index = 0): void {
    const [sent] = this.down.splice(index, 1);
    if (sent) this.deliver(sent);
  }

  deliver({ message }: Sent): void {
    const { kind, generation = 0, body } = message;
    this.agent.receive({ kind, generation, epoch: this.epoch }, decodeBody(body));
  }

  get epoch(): number {
    return epochOf(this.fixture.registry.cache.revision());
  }

  /** Delivers everything until nothing is under way. */
  async settle(): Promise<void> {
    for (;;) {
      await Promise.resolve();
      if (this.up.length > 0) this.sendUp();
      else if (this.down.length > 0) this.sendDown();
      else return;
    }
  }

  #newDesired(): DesiredState {
    const { registry, clock } = this.fixture;
    return new DesiredState({
      cluster: 'c',
      registry,
      keys: new NodeKeyRing(directoryOf([identity])),
      outlet: {
        send: (_node, leaf, message) => {
          if (this.isConnected) this.down.push({ leaf, message });
          return this.isConnected;
        },
        isConnected: () => this.isConnected,
      },
      clock,
      epoch: () => this.epoch,
      log: this.log,
      onRestored: async (_node, have) => {
        this.restored.push(have);
        if (this.raisesEpoch) await registry.raiseEpoch(have.epoch + 1);
      },
    });
  }
}

const A_TIME = expect.stringMatching(/^\d{4}-.*Z$/);
const ENV_FROM = { envFrom: [{ configMapRef: { name: 'settings' } }] };

describe('a connected node', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await new Scene().open();
    scene.agent.hello();
    await scene.settle();
  });

  test('has its own Node after its first hello', () => {
    expect([...scene.agent.documents.keys()]).toEqual(['nodes//a']);
    expect(scene.desired.isSettled('a')).toBe(true);
    expect(scene.fixture.clock.pending).toBe(0);
  });

  test('gets its pods with what they name, and nothing of other nodes', async () => {
    await scene.fixture.addConfigMap('settings', { color: 'blue' });
    await scene.fixture.addConfigMap('other', {});
    await scene.fixture.addPod('web', 'a', {
      containers: [{ name: 'main', image: 'busybox', ...ENV_FROM } as never],
    });
    await scene.fixture.addPod('elsewhere', 'b');
    await scene.settle();
    expect([...scene.agent.documents.keys()].sort()).toEqual([
      'configmaps/default/settings',
      'nodes//a',
      'pods/default/web',
    ]);
    const pod = scene.agent.documents.get('pods/default/web')?.object as never as {
      metadata: object;
      status?: object;
    };
    expect(pod.metadata).not.toHaveProperty('resourceVersion');
    expect(pod.status).toBeUndefined();
  });

  test('hears of a later ConfigMap and of its change, but not of one that no pod names', async () => {
    await scene.fixture.addPod('web', 'a', {
      containers: [{ name: 'main', image: 'busybox', ...ENV_FROM } as never],
    });
    await scene.settle();
    expect(scene.agent.documents.has('configmaps/default/settings')).toBe(false);
    await scene.fixture.addConfigMap('settings', { color: 'blue' });
    await scene.settle();
    await scene.fixture.registry.update(
      CONFIG_MAPS,
      { namespace: 'default', name: 'settings' },
      (current) => ({ ...current, data: { color: 'red' } }),
    );
    await scene.settle();
    expect(scene.agent.documents.get('configmaps/default/settings')?.object['data']).toEqual({
      color: 'red',
    });
    await scene.fixture.addConfigMap('unused', {});
    await Promise.resolve();
    expect(scene.down).toEqual([]);
  });

  test('gets a Secret sealed, with nothing of it in the open', async () => {
    await scene.fixture.addSecret('token', { password: 'czNjcjN0' });
    await scene.fixture.addPod('web', 'a', {
      volumes: [{ name: 'v', secret: { secretName: 'token' } }],
    } as never);
    await Promise.resolve();
    const wire = scene.down.map(({ message }) => Buffer.from(message.body).toString()).join();
    expect(wire).toContain('secrets/default/token');
    expect(wire).not.toContain('czNjcjN0');
    await scene.settle();
    expect(scene.agent.documents.get('secrets/default/token')?.sealed).toBeTypeOf('string');
    await scene.fixture.registry.delete(SECRETS, { namespace: 'default', name: 'token' });
    await scene.settle();
    expect(scene.agent.documents.has('secrets/default/token')).toBe(false);
  });

  test('is not told of a change of status', async () => {
    await scene.fixture.addPod('web', 'a');
    await scene.settle();
    const { generation } = scene.agent.have;
    await scene.fixture.registry.update(
      PODS,
      { namespace: 'default', name: 'web' },
      (pod) => ({ ...pod, status: { ...pod.status, phase: 'Running' } }),
      { subresource: 'status' },
    );
    await Promise.resolve();
    expect(scene.down).toEqual([]);
    expect(scene.agent.have.generation).toBe(generation);
    expect(scene.desired.isSettled('a')).toBe(true);
  });

  test('gets the changes that come while one is under way as one delta afterwards', async () => {
    await scene.fixture.addPod('one', 'a');
    await Promise.resolve();
    expect(scene.down).toHaveLength(1);
    await scene.fixture.addPod('two', 'a');
    await scene.fixture.addPod('three', 'a');
    await Promise.resolve();
    expect(scene.down).toHaveLength(1);
    scene.sendDown();
    scene.sendUp();
    expect(scene.down.map(({ message }) => message.kind)).toEqual(['delta']);
    scene.sendDown();
    expect(scene.agent.documents.size).toBe(4);
  });

  test('that loses a delta is asked after a while, and gets it again', async () => {
    await scene.fixture.addPod('web', 'a');
    await Promise.resolve();
    scene.down.splice(0);
    scene.fixture.clock.advance(4_999);
    expect(scene.down).toEqual([]);
    scene.fixture.clock.advance(1);
    expect(scene.down.map(({ leaf }) => leaf)).toEqual(['head']);
    await scene.settle();
    expect(scene.agent.documents.has('pods/default/web')).toBe(true);
    expect(scene.fixture.clock.pending).toBe(0);
  });

  test('that never answers is asked ever more seldom', async () => {
    await scene.fixture.addPod('web', 'a');
    await Promise.resolve();
    scene.fixture.clock.advance(3600_000);
    expect(scene.down.length).toBeLessThan(70);
    expect(scene.down.length).toBeGreaterThan(50);
  });

  test('that asks for a snapshot again and again does not keep the link busy', async () => {
    await scene.fixture.addPod('web', 'a');
    scene.down.splice(0);
    for (let i = 0; i < 50; i++) scene.agent.hello('snapshot');
    while (scene.up.length > 0) scene.sendUp();
    expect(scene.down.length).toBeLessThanOrEqual(4);
  });

  test('is sent nothing while it is away, and the difference when it is back', async () => {
    scene.isConnected = false;
    scene.desired.disconnected('a');
    await scene.fixture.addPod('one', 'a');
    await scene.fixture.addPod('two', 'a');
    expect(scene.fixture.clock.pending).toBe(0);
    scene.isConnected = true;
    scene.desired.connected('a');
    scene.agent.hello();
    scene.sendUp();
    expect(scene.down.map(({ message }) => message.kind)).toEqual(['delta']);
    await scene.settle();
    expect(scene.agent.documents.size).toBe(3);
  });

  test('is sent nothing by a restarted master when nothing changed', async () => {
    await scene.fixture.addPod('web', 'a');
    await scene.settle();
    scene.restart();
    scene.agent.hello();
    scene.sendUp();
    expect(scene.down).toEqual([]);
    expect(scene.desired.isSettled('a')).toBe(true);
    await scene.fixture.addPod('two', 'a');
    await Promise.resolve();
    expect(scene.down.map(({ message }) => message.kind)).toEqual(['delta']);
    await scene.settle();
    expect(scene.agent.documents.size).toBe(3);
  });

  test('is sent a snapshot by a restarted master that cannot know what it has', async () => {
    await scene.fixture.addPod('web', 'a');
    scene.restart();
    scene.down.splice(0);
    scene.agent.hello();
    scene.sendUp();
    expect(scene.down.map(({ message }) => message.kind)).toEqual(['snapshot']);
    await scene.settle();
    expect(scene.agent.documents.size).toBe(2);
  });

  test('goes back with a master that was restored, which says so loudly', async () => {
    scene.agent.have = { epoch: 0, generation: 999_999, hash: 'later' };
    scene.agent.hello();
    await scene.settle();
    await until(() => scene.down.length > 0);
    await scene.settle();
    expect(scene.restored).toEqual([{ epoch: 0, generation: 999_999, hash: 'later' }]);
    expect(scene.log.lines.join()).toContain('restored from a backup');
    expect(scene.agent.have.generation).toBeLessThan(999_999);
    expect(scene.desired.isSettled('a')).toBe(true);
  });

  test('of a later epoch goes back too', async () => {
    scene.agent.have = { ...scene.agent.have, epoch: 7 };
    scene.agent.hello();
    await scene.settle();
    await until(() => scene.down.length > 0);
    await scene.settle();
    expect(scene.restored).toHaveLength(1);
    expect(scene.agent.have.epoch).toBe(0);
  });

  test('has the new epoch after a restored master raised it', async () => {
    await scene.fixture.addPod('web', 'a');
    await scene.settle();
    scene.raisesEpoch = true;
    scene.agent.have = { epoch: 0, generation: 999_999, hash: 'later' };
    scene.agent.hello();
    await scene.settle();
    await until(() => scene.down.length > 0);
    await scene.settle();
    expect(scene.agent.have.epoch).toBe(1);
    expect(scene.agent.documents.has('pods/default/web')).toBe(true);
    expect(scene.desired.isSettled('a')).toBe(true);
    await scene.fixture.addPod('two', 'a');
    await Promise.resolve();
    expect(scene.down.map(({ message }) => message.kind)).toEqual(['delta']);
  });

  test('that was deleted is forgotten', async () => {
    await scene.fixture.registry.delete(NODES, { namespace: '', name: 'a' });
    await Promise.resolve();
    expect(scene.desired.isSettled('a')).toBe(false);
  });

  test('that was deleted is forgotten with the last of its pods', async () => {
    const { registry } = scene.fixture;
    await scene.fixture.addPod('one', 'a');
    await scene.settle();
    await registry.delete(NODES, { namespace: '', name: 'a' });
    await scene.settle();
    expect(scene.desired.isSettled('a')).toBe(true);
    const key = { namespace: 'default', name: 'one' };
    await registry.delete(PODS, key, { gracePeriodSeconds: 0 });
    await scene.settle();
    expect(scene.desired.isSettled('a')).toBe(false);
  });
});

describe('what every node has', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await new Scene().open();
    scene.agent.hello();
    await scene.settle();
  });

  const object = (key: string) => scene.agent.documents.get(key)?.object;
  const update = (name: string, change: object) =>
    scene.fixture.registry.update(SERVICES, { namespace: 'default', name }, (current) => ({
      ...current,
      spec: { ...current.spec, ...change },
    }));

  test('are the Services without their status, and the slices', async () => {
    await scene.fixture.addService('web');
    await scene.fixture.addSlice('web-1', 'web', [{ addresses: ['10.42.0.2'] }]);
    await scene.settle();
    expect(object('services/default/web')).toMatchObject({
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default', creationTimestamp: A_TIME },
      spec: { selector: { app: 'web' } },
    });
    expect(object('services/default/web')).not.toHaveProperty('status');
    expect(object('endpointslices/default/web-1')).toMatchObject({
      metadata: {
        labels: { 'kubernetes.io/service-name': 'web' },
        creationTimestamp: A_TIME,
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.42.0.2'] }],
      ports: [{ port: 80, name: '', protocol: 'TCP' }],
    });
    await scene.fixture.registry.delete(SERVICES, { namespace: 'default', name: 'web' });
    await scene.settle();
    expect(object('services/default/web')).toBeUndefined();
  });

  test('are the other nodes, of whose status only the address counts', async () => {
    await scene.fixture.addNode('b');
    await scene.settle();
    expect(object('peers//b')).toEqual({
      name: 'b',
      creationTimestamp: A_TIME,
      podCIDRs: [],
      annotations: {},
    });
    expect(object('nodes//a')).toMatchObject({ metadata: { creationTimestamp: A_TIME } });
    expect(object('peers//a')).toBeUndefined();
    const addresses = [{ type: 'InternalIP', address: '192.0.2.7' }];
    const report = (status: object) =>
      scene.fixture.registry.update(
        NODES,
        { namespace: '', name: 'b' },
        (node) => ({ ...node, status }),
        { subresource: 'status' },
      );
    await report({ addresses });
    await scene.settle();
    expect(object('peers//b')).toMatchObject({ internalIP: '192.0.2.7' });
    const { generation } = scene.agent.have;
    await report({ addresses, daemonEndpoints: { kubeletEndpoint: { Port: 1 } } });
    await scene.settle();
    expect(scene.agent.have.generation).toBe(generation);
  });

  test('changes by deltas of what changed alone, also after an absence', async () => {
    for (let i = 0; i < 20; i++) await scene.fixture.addService(`s${i}`);
    await scene.settle();
    scene.isConnected = false;
    scene.desired.disconnected('a');
    await update('s3', { selector: { app: 'other' } });
    await scene.fixture.registry.delete(SERVICES, { namespace: 'default', name: 's4' });
    scene.isConnected = true;
    scene.desired.connected('a');
    scene.agent.hello();
    scene.sendUp();
    const [sent] = scene.down;
    expect(sent?.message.kind).toBe('delta');
    expect(decodeBody(sent?.message.body as Uint8Array)).toMatchObject({
      puts: [{ key: 'services/default/s3' }],
      deletes: ['services/default/s4'],
    });
    await scene.settle();
    expect(scene.desired.isSettled('a')).toBe(true);
    expect(scene.agent.documents.size).toBe(20);
  });

  test('that changes back meanwhile is not sent', async () => {
    await scene.fixture.addService('web');
    await update('web', { selector: { app: 'before' } });
    await update('web', { selector: { app: 'web' } });
    await scene.settle();
    scene.isConnected = false;
    await update('web', { selector: { app: 'other' } });
    await update('web', { selector: { app: 'web' } });
    scene.isConnected = true;
    scene.agent.hello();
    scene.sendUp();
    expect(scene.down).toEqual([]);
    expect(scene.desired.isSettled('a')).toBe(true);
  });

  test('arrives in parts, all of which make one state, where there is much of it', async () => {
    const ports = Array.from({ length: 10 }, (_, n) => ({ name: `p${n}`, port: n + 1 }));
    for (let i = 0; i < 800; i++) await scene.fixture.addService(`s${i}`, { ports });
    const before = scene.agent.have;
    scene.restart();
    scene.down.splice(0);
    scene.agent.hello();
    scene.sendUp();
    const isLast = ({ message }: Sent) =>
      (decodeBody(message.body)['part'] as { last?: boolean } | undefined)?.last === true;
    await until(() => scene.down.some(isLast));
    expect(scene.down.length).toBeGreaterThan(2);
    for (const { message } of scene.down) expect(message.body.length).toBeLessThan(300_000);
    while (scene.down.length > 1) scene.sendDown();
    expect(scene.agent.have).toEqual(before);
    await scene.settle();
    expect(scene.agent.documents.size).toBe(801);
    expect(scene.desired.isSettled('a')).toBe(true);
  });
});

type Step =
  | { do: 'service' | 'unservice'; which: number }
  | { do: 'pod' | 'unpod' | 'configMap' | 'secret' | 'unsecret'; which: number }
  | { do: 'down' | 'up' | 'dropDown' | 'dropUp' | 'repeatDown' | 'repeatUp'; which: number }
  | { do: 'hello' | 'restart' | 'reconnect' | 'wait'; which: number };

const STEPS = [
  ...['service', 'unservice', 'pod', 'unpod', 'configMap', 'secret', 'unsecret'],
  ...['down', 'up', 'down', 'up', 'dropDown', 'dropUp', 'repeatDown', 'repeatUp'],
  ...['hello', 'restart', 'reconnect', 'wait'],
] as Step['do'][];

test('whatever is lost, repeated and reordered, the node ends with exactly its documents', async () => {
  const step = fc.record({ do: fc.constantFrom(...STEPS), which: fc.nat({ max: 3 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const scene = await new Scene().open();
      for (const one of steps) await perform(scene, one as Step);
      // The network heals; within ten minutes every node says hello.
      for (let minutes = 0; minutes < 3; minutes++) {
        scene.agent.hello();
        await scene.settle();
        scene.fixture.clock.advance(120_000);
        await scene.settle();
      }
      const { registry } = scene.fixture;
      const expected = new Set(['nodes//a']);
      for (const { metadata } of registry.list(PODS)) {
        expected.add(`pods/default/${metadata.name}`);
        const has = (kind: typeof CONFIG_MAPS | typeof SECRETS) =>
          registry.find(kind as typeof CONFIG_MAPS, { namespace: 'default', name: metadata.name });
        if (has(CONFIG_MAPS)) expected.add(`configmaps/default/${metadata.name}`);
        if (has(SECRETS)) expected.add(`secrets/default/${metadata.name}`);
      }
      for (const { metadata, spec } of registry.list(SERVICES)) {
        const key = `services/default/${metadata.name}`;
        expected.add(key);
        expect(scene.agent.documents.get(key)?.object['spec']).toEqual(spec);
      }
      expect(new Set(scene.agent.documents.keys())).toEqual(expected);
      for (const configMap of registry.list(CONFIG_MAPS)) {
        const document = scene.agent.documents.get(`configmaps/default/${configMap.metadata.name}`);
        if (document) expect(document.object['data']).toEqual(configMap.data);
      }
      expect(scene.desired.isSettled('a')).toBe(true);
      expect(scene.fixture.clock.pending).toBe(0);
      scene.desired.stop();
    }),
    { numRuns: 60 },
  );
});

async function perform(scene: Scene, { do: action, which }: Step): Promise<void> {
  const { fixture } = scene;
  const { registry } = fixture;
  const key = { namespace: 'default', name: `x${which}` };
  switch (action) {
    case 'pod':
      if (registry.find(PODS, key)) return;
      await fixture.addPod(key.name, 'a', {
        volumes: [
          { name: 'c', configMap: { name: key.name } },
          { name: 's', secret: { secretName: key.name } },
        ],
      } as never);
      return;
    case 'unpod':
      if (registry.find(PODS, key)) await registry.delete(PODS, key, { gracePeriodSeconds: 0 });
      return;
    case 'service':
      if (!registry.find(SERVICES, key)) await fixture.addService(key.name);
      else {
        await registry.update(SERVICES, key, (current) => ({
          ...current,
          spec: { ...current.spec, selector: { ...current.spec.selector, [`k${which}`]: 'v' } },
        }));
      }
      return;
    case 'unservice':
      if (registry.find(SERVICES, key)) await registry.delete(SERVICES, key);
      return;
    case 'configMap':
      if (!registry.find(CONFIG_MAPS, key)) await fixture.addConfigMap(key.name, { count: '0' });
      else {
        await registry.update(CONFIG_MAPS, key, (current) => ({
          ...current,
          data: { count: String(Number(current.data?.['count']) + 1) },
        }));
      }
      return;
    case 'secret':
      if (!registry.find(SECRETS, key)) await fixture.addSecret(key.name, { value: 'eA==' });
      return;
    case 'unsecret':
      if (registry.find(SECRETS, key)) await registry.delete(SECRETS, key);
      return;
    case 'down':
      return scene.sendDown(which);
    case 'up':
      return scene.sendUp(which);
    case 'dropDown':
      scene.down.splice(which, 1);
      return;
    case 'dropUp':
      scene.up.splice(which, 1);
      return;
    case 'repeatDown': {
      const sent = scene.down[which];
      if (sent) scene.deliver(sent);
      return;
    }
    case 'repeatUp': {
      const answer = scene.up[which];
      if (answer) scene.up.push(answer);
      return;
    }
    case 'hello':
      return scene.agent.hello();
    case 'restart':
      return scene.restart();
    case 'reconnect':
      scene.desired.disconnected('a');
      scene.desired.connected('a');
      return scene.agent.hello();
    case 'wait':
      return scene.fixture.clock.advance(which * 20_000);
  }
}
