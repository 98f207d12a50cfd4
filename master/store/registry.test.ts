import { beforeEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../shared/errors.ts';
import type { KubeObject } from '../../shared/meta/kube-object.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Namespace } from '../../shared/schema/kubernetes-types.ts';
import { MemoryStore } from './memory-store.ts';
import { type Preparation, Registry } from './registry.ts';
import { WatchCache, type WatchEvent } from './watch-cache.ts';

interface Boat extends KubeObject {
  spec: { sails: number; seconds?: number; address?: string };
  status?: { afloat: boolean };
}

const BOATS: ResourceKind<Boat> = {
  ...row('harbour.example', 'Boat', 'boats', true),
  strategy: {
    prepareForCreate: ({ status: _, ...boat }) => ({
      ...boat,
      metadata: { ...boat.metadata, generation: 1 },
    }),
    default: (boat) => boat,
    validate: (boat) =>
      boat.spec.sails > 9
        ? [{ type: 'FieldValueInvalid', field: 'spec.sails', message: 'Invalid value: too many' }]
        : [],
    prepareForUpdate: ({ status: _, ...next }, previous) => {
      const generation = previous.metadata.generation ?? 0;
      const changed = next.spec.sails !== previous.spec.sails;
      return {
        ...next,
        ...(previous.status ? { status: previous.status } : {}),
        metadata: { ...next.metadata, generation: generation + (changed ? 1 : 0) },
      };
    },
    validateUpdate: () => [],
    prepareForStatusUpdate: (next, previous) => ({
      ...previous,
      ...(next.status ? { status: next.status } : {}),
    }),
    gracePeriodSeconds: (boat, requested) => requested ?? boat.spec.seconds ?? 0,
  },
};

const BUOYS: ResourceKind = {
  ...row('', 'Buoy', 'buoys', true),
  strategy: plainStrategy(),
};

const NAMESPACES: ResourceKind<Namespace> = {
  ...row('', 'Namespace', 'namespaces', false),
  strategy: {
    ...(plainStrategy() as ResourceKind<Namespace>['strategy']),
    prepareForCreate: (object) => ({
      ...object,
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    }),
    prepareForUpdate: (next, previous) => ({
      ...next,
      spec: previous.spec,
      status: previous.status,
    }),
  },
};

let nowMs: number;
let registry: Registry;
let uids: number;
let fresh: (options?: { preparations?: Preparation[]; random?: () => number }) => Promise<Registry>;

beforeEach(async () => {
  nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
  uids = 0;
  fresh = async (options) => {
    const made = new Registry({
      store: new MemoryStore(),
      clock: { nowMs: () => nowMs, monotonicMs: () => nowMs, after: () => () => {} },
      kinds: [NAMESPACES, BOATS, BUOYS],
      newUid: () => `uid-${++uids}`,
      cache: new WatchCache({ freeze: true }),
      ...options,
    });
    await made.open();
    await made.create(NAMESPACES, namespace('bay'));
    return made;
  };
  registry = await fresh();
});

describe('create', () => {
  it('stamps uid, creationTimestamp and resourceVersion, and drops what clients may not set', async () => {
    const made = await registry.create(BOATS, {
      ...boat('skiff'),
      metadata: {
        ...boat('skiff').metadata,
        uid: 'mine',
        creationTimestamp: '1999-01-01T00:00:00Z',
        deletionTimestamp: '1999-01-01T00:00:00Z',
        deletionGracePeriodSeconds: 3,
        selfLink: '/x',
      },
      status: { afloat: true },
    });
    expect(made).toEqual({
      ...boat('skiff'),
      metadata: {
        name: 'skiff',
        namespace: 'bay',
        uid: 'uid-2',
        creationTimestamp: '2026-01-02T03:04:05Z',
        resourceVersion: String(registry.cache.revision()),
        generation: 1,
      },
    });
    expect(registry.get(BOATS, { namespace: 'bay', name: 'skiff' })).toBe(made);
  });

  it('refuses a name that is taken, an invalid object, a resourceVersion', async () => {
    await registry.create(BOATS, boat('skiff'));
    await expect(registry.create(BOATS, boat('skiff'))).rejects.toMatchObject({
      reason: 'AlreadyExists',
      message: 'boats.harbour.example "skiff" already exists',
    });
    await expect(registry.create(BOATS, boat('x', { sails: 10 }))).rejects.toMatchObject({
      reason: 'Invalid',
      message: 'Boat.harbour.example "x" is invalid: spec.sails: Invalid value: too many',
    });
    const versioned = boat('y');
    versioned.metadata.resourceVersion = '7';
    await expect(registry.create(BOATS, versioned)).rejects.toThrow(
      'resourceVersion should not be set on objects to be created',
    );
  });

  it('generates a name and tries others when it is taken, eight times', async () => {
    const made = await registry.create(BOATS, generated('skiff-'));
    expect(made.metadata.name).toMatch(/^skiff-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    const rolls = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.99];
    const unlucky = await fresh({ random: () => rolls.shift() ?? 0 });
    expect((await unlucky.create(BOATS, generated('a'))).metadata.name).toBe('abbbbb');
    expect((await unlucky.create(BOATS, generated('a'))).metadata.name).toBe('abbbb9');
    await expect(unlucky.create(BOATS, generated('a'))).rejects.toMatchObject({
      reason: 'AlreadyExists',
      message:
        'boats.harbour.example "abbbbb" already exists, the server was not able to generate a unique name for the object',
    });
  });

  it('with dryRun does everything but the write', async () => {
    const before = registry.cache.revision();
    const made = await registry.create(BOATS, boat('skiff'), { dryRun: true });
    expect(made.metadata).toMatchObject({ uid: 'uid-2', generation: 1 });
    expect(made.metadata).not.toHaveProperty('resourceVersion');
    expect(registry.find(BOATS, { namespace: 'bay', name: 'skiff' })).toBeUndefined();
    expect(registry.cache.revision()).toBe(before);
    await registry.create(BOATS, boat('skiff'));
    await expect(registry.create(BOATS, boat('skiff'), { dryRun: true })).rejects.toThrow(
      'already exists',
    );
  });
});

describe('the namespace of a new object', () => {
  it('has to exist', async () => {
    await expect(registry.create(BOATS, boat('skiff', {}, 'sea'))).rejects.toMatchObject({
      reason: 'NotFound',
      message: 'namespaces "sea" not found',
    });
  });

  it('takes nothing while it is Terminating', async () => {
    await registry.delete(NAMESPACES, { namespace: '', name: 'bay' });
    await expect(registry.create(BOATS, boat('skiff'))).rejects.toMatchObject({
      reason: 'Forbidden',
      message:
        'boats.harbour.example "skiff" is forbidden: unable to create new content in namespace bay because it is being terminated',
      details: {
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: 'namespace bay is being terminated',
            field: 'metadata.namespace',
          },
        ],
      },
    });
  });

  it('takes nothing that was on its way when the termination was written', async () => {
    const termination = registry.delete(NAMESPACES, { namespace: '', name: 'bay' });
    const creation = registry.create(BOATS, boat('skiff'));
    await termination;
    await expect(creation).rejects.toMatchObject({ reason: 'Forbidden' });
  });

  it('is Terminating until spec.finalizers is empty', async () => {
    const key = { namespace: '', name: 'bay' };
    const { gone, object } = await registry.delete(NAMESPACES, key);
    expect(gone).toBe(false);
    expect(object).toMatchObject({
      metadata: { deletionTimestamp: '2026-01-02T03:04:05Z' },
      status: { phase: 'Terminating' },
    });
    expect((await registry.delete(NAMESPACES, key)).object).toBe(object);
    const emptied = (current: Namespace) => ({ ...current, spec: { finalizers: [] } });
    await registry.update(NAMESPACES, key, emptied);
    expect(registry.find(NAMESPACES, key)).toBeDefined();
    await registry.update(NAMESPACES, key, emptied, { subresource: 'finalize' });
    expect(registry.find(NAMESPACES, key)).toBeUndefined();
  });

  it.each(['default', 'kube-system', 'kube-public'])('%s is not deleted', async (name) => {
    await expect(registry.delete(NAMESPACES, { namespace: '', name })).rejects.toMatchObject({
      reason: 'Forbidden',
      message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
    });
  });
});

describe('update', () => {
  const key = { namespace: 'bay', name: 'skiff' };
  const withSails = (sails: number) => (current: Boat) => ({
    ...current,
    spec: { ...current.spec, sails },
  });

  it('writes the change and keeps the stamps', async () => {
    const made = await registry.create(BOATS, boat('skiff'));
    const next = await registry.update(BOATS, key, () => ({
      ...boat('skiff', { sails: 4 }),
      status: { afloat: true },
    }));
    expect(next.spec.sails).toBe(4);
    expect(next.status).toBeUndefined();
    expect(next.metadata).toEqual({
      ...made.metadata,
      generation: 2,
      resourceVersion: String(registry.cache.revision()),
    });
  });

  it('does not write what changes nothing', async () => {
    const made = await registry.create(BOATS, boat('skiff'));
    expect(await registry.update(BOATS, key, (current) => ({ ...current }))).toBe(made);
    expect(String(registry.cache.revision())).toBe(made.metadata.resourceVersion);
  });

  it('refuses a stale resourceVersion and another uid', async () => {
    const made = await registry.create(BOATS, boat('skiff'));
    await registry.update(BOATS, key, withSails(2));
    await expect(registry.update(BOATS, key, () => made)).rejects.toMatchObject({
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on boats.harbour.example "skiff": the object has been modified; please apply your changes to the latest version and try again',
    });
    await expect(registry.update(BOATS, key, withSails(3), { uid: 'other' })).rejects.toThrow(
      'Precondition failed: UID in precondition: other, UID in object meta: uid-2',
    );
  });

  it('refuses other names, uids and deletion times', async () => {
    await registry.create(BOATS, boat('skiff'));
    const rename = (metadata: Partial<Boat['metadata']>) =>
      registry.update(BOATS, key, (current) => ({
        ...current,
        metadata: { ...current.metadata, ...metadata },
      }));
    await expect(rename({ name: 'yawl' })).rejects.toThrow(
      'Boat.harbour.example "skiff" is invalid: metadata.name: Invalid value: "yawl": field is immutable',
    );
    await expect(rename({ uid: 'x' })).rejects.toThrow(
      'metadata.uid: Invalid value: "x": field is immutable',
    );
    await expect(rename({ deletionTimestamp: '2030-01-01T00:00:00Z' })).rejects.toThrow(
      'metadata.deletionTimestamp',
    );
  });

  it('runs the change again when another write came between', async () => {
    await registry.create(BOATS, boat('skiff', { sails: 0 }));
    const raise = (current: Boat) => ({ ...current, spec: { sails: current.spec.sails + 1 } });
    await Promise.all(Array.from({ length: 8 }, () => registry.update(BOATS, key, raise)));
    expect(registry.get(BOATS, key).spec.sails).toBe(8);
  });

  it('of the status writes nothing else', async () => {
    await registry.create(BOATS, boat('skiff', { sails: 1 }));
    const change = (current: Boat) => ({
      ...current,
      spec: { sails: 7 },
      status: { afloat: true },
    });
    const next = await registry.update(BOATS, key, change, { subresource: 'status' });
    expect(next).toMatchObject({ spec: { sails: 1 }, status: { afloat: true } });
    await expect(
      registry.update(BUOYS, key, (current) => current, { subresource: 'status' }),
    ).rejects.toBeInstanceOf(ApiError);
  });

  it('passes managedFields through', async () => {
    const fields = boat('skiff');
    fields.metadata.managedFields = [{ manager: 'kubectl' }];
    const made = await registry.create(BOATS, fields);
    expect(made.metadata.managedFields).toEqual([{ manager: 'kubectl' }]);
  });

  it('of what is not there is NotFound', async () => {
    await expect(registry.update(BOATS, key, withSails(1))).rejects.toMatchObject({
      reason: 'NotFound',
      message: 'boats.harbour.example "skiff" not found',
    });
  });
});

describe('delete', () => {
  const key = { namespace: 'bay', name: 'skiff' };

  it('removes at once what has neither grace nor finalizers', async () => {
    await registry.create(BOATS, boat('skiff'));
    expect(await registry.delete(BOATS, key)).toMatchObject({ gone: true });
    await expect(registry.delete(BOATS, key)).rejects.toMatchObject({ reason: 'NotFound' });
  });

  it('with grace marks, a second request shortens, 0 removes', async () => {
    await registry.create(BOATS, boat('skiff', { seconds: 30 }));
    const first = await registry.delete(BOATS, key);
    expect(first.gone).toBe(false);
    expect(first.object.metadata).toMatchObject({
      deletionTimestamp: '2026-01-02T03:04:35Z',
      deletionGracePeriodSeconds: 30,
      generation: 2,
    });
    nowMs += 5000;
    expect((await registry.delete(BOATS, key)).object).toBe(first.object);
    expect((await registry.delete(BOATS, key, { gracePeriodSeconds: 60 })).object).toBe(
      first.object,
    );
    const shorter = await registry.delete(BOATS, key, { gracePeriodSeconds: 10 });
    expect(shorter.object.metadata).toMatchObject({
      deletionTimestamp: '2026-01-02T03:04:15Z',
      deletionGracePeriodSeconds: 10,
      generation: 2,
    });
    const last = await registry.delete(BOATS, key, { gracePeriodSeconds: 0 });
    expect(last.gone).toBe(true);
    expect(registry.find(BOATS, key)).toBeUndefined();
  });

  it('with finalizers marks, and the update that takes the last one removes', async () => {
    await registry.create(BUOYS, buoy('red', ['a/b', 'c/d']));
    const red = { namespace: 'bay', name: 'red' };
    const { gone, object } = await registry.delete(BUOYS, red);
    expect(gone).toBe(false);
    expect(object.metadata).toMatchObject({
      deletionTimestamp: '2026-01-02T03:04:05Z',
      deletionGracePeriodSeconds: 0,
    });
    const keeping = (finalizers: string[]) => (current: KubeObject) => ({
      ...current,
      metadata: { ...current.metadata, finalizers },
    });
    await expect(registry.update(BUOYS, red, keeping(['a/b', 'new/one']))).rejects.toThrow(
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"new/one"}',
    );
    await registry.update(BUOYS, red, keeping(['a/b']));
    expect(registry.find(BUOYS, red)).toBeDefined();
    await registry.update(BUOYS, red, keeping([]));
    expect(registry.find(BUOYS, red)).toBeUndefined();
  });

  it('a deletion mark survives updates that do not name it', async () => {
    await registry.create(BUOYS, buoy('red', ['a/b']));
    const red = { namespace: 'bay', name: 'red' };
    await registry.delete(BUOYS, red);
    const next = await registry.update(BUOYS, red, () => buoy('red', ['a/b'], { colour: 'red' }));
    expect(next.metadata.deletionTimestamp).toBe('2026-01-02T03:04:05Z');
    expect(next.metadata.labels).toEqual({ colour: 'red' });
  });

  it.each([
    ['Foreground', ['foregroundDeletion']],
    ['Orphan', ['orphan']],
  ] as const)('with the policy %s waits for the garbage collector', async (policy, finalizers) => {
    await registry.create(BUOYS, buoy('red'));
    const { gone, object } = await registry.delete(
      BUOYS,
      { namespace: 'bay', name: 'red' },
      { propagationPolicy: policy },
    );
    expect(gone).toBe(false);
    expect(object.metadata.finalizers).toEqual(finalizers);
  });

  it('checks its preconditions', async () => {
    const made = await registry.create(BOATS, boat('skiff'));
    const wanting = (preconditions: { uid?: string; resourceVersion?: string }) =>
      registry.delete(BOATS, key, { preconditions });
    await expect(wanting({ uid: 'x' })).rejects.toMatchObject({
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on Boat.harbour.example "skiff": the UID in the precondition (x) does not match the UID in record (${made.metadata.uid}). The object might have been deleted and then recreated`,
    });
    await expect(wanting({ resourceVersion: '1' })).rejects.toThrow(
      `the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${made.metadata.resourceVersion}). The object might have been modified`,
    );
    const { uid, resourceVersion } = made.metadata;
    expect((await wanting({ uid, resourceVersion })).gone).toBe(true);
  });

  it('with dryRun says what would happen', async () => {
    await registry.create(BOATS, boat('skiff', { seconds: 30 }));
    expect(await registry.delete(BOATS, key, { dryRun: true })).toMatchObject({ gone: false });
    const now = await registry.delete(BOATS, key, { dryRun: true, gracePeriodSeconds: 0 });
    expect(now.gone).toBe(true);
    expect(registry.get(BOATS, key).metadata.deletionTimestamp).toBeUndefined();
  });
});

describe('preparations', () => {
  it('run after the defaults, and are told when the write has ended', async () => {
    const settled: string[] = [];
    const address: Preparation<Boat> = {
      kind: BOATS,
      prepare: (object, previous) => ({
        ...object,
        spec: { ...object.spec, address: previous?.spec.address ?? 'a1' },
      }),
      settled: (object) => settled.push(object.metadata.name),
    };
    const prepared = await fresh({ preparations: [address] as unknown as Preparation[] });
    const made = await prepared.create(BOATS, boat('skiff'));
    expect(made.spec.address).toBe('a1');
    await expect(prepared.create(BOATS, boat('y', { sails: 10 }))).rejects.toThrow('too many');
    const next = await prepared.update(BOATS, { namespace: 'bay', name: 'skiff' }, () =>
      boat('skiff', { sails: 3 }),
    );
    expect(next.spec.address).toBe('a1');
    await prepared.create(BUOYS, buoy('red'));
    expect(settled).toEqual(['skiff', 'y', 'skiff']);
  });
});

it('a raised epoch shows in the revision at once, and the history before it is gone', async () => {
  const before = registry.cache.revision();
  await registry.raiseEpoch(2);
  expect(registry.cache.revision()).toBeGreaterThanOrEqual(2 * 2 ** 40);
  expect(() => registry.cache.watch(BOATS, before, () => {})).toThrow('too old');
  const seen: WatchEvent[] = [];
  registry.cache.watch(BOATS, registry.cache.revision(), (events) => seen.push(...events));
  await registry.create(BOATS, boat('skiff'));
  expect(seen).toHaveLength(1);
});

it('a watcher sees what a writer is told, before it is told', async () => {
  const seen: WatchEvent<Boat>[] = [];
  registry.cache.watch(BOATS, undefined, (events) => seen.push(...events));
  const made = await registry.create(BOATS, boat('skiff'));
  expect(seen).toMatchObject([{ type: 'ADDED', object: made, previous: undefined }]);
  expect(JSON.parse(seen[0]?.json().toString() ?? '')).toEqual(made);
  await registry.delete(BOATS, { namespace: 'bay', name: 'skiff' });
  expect(seen[1]).toMatchObject({ type: 'DELETED', previous: made });
  expect(seen[1]?.object.metadata.resourceVersion).toBe(String(registry.cache.revision()));
});

function row(group: string, kind: string, plural: string, namespaced: boolean) {
  return {
    group,
    version: 'v1',
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    namespaced,
    verbs: [],
    subresources: [],
    isVolatile: () => false,
    columns: [],
    selectableFields: {},
  };
}

function plainStrategy(): ResourceKind['strategy'] {
  return {
    prepareForCreate: (object) => object,
    default: (object) => object,
    validate: () => [],
    prepareForUpdate: (next) => next,
    validateUpdate: () => [],
  };
}

function meta(name: string, namespaceName?: string) {
  const stamps = { uid: '', resourceVersion: '', creationTimestamp: '' };
  return { name, ...stamps, ...(namespaceName ? { namespace: namespaceName } : {}) };
}

function namespace(name: string): Namespace {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: meta(name), spec: {}, status: {} };
}

function boat(name: string, spec: Partial<Boat['spec']> = {}, namespaceName = 'bay'): Boat {
  return {
    apiVersion: 'harbour.example/v1',
    kind: 'Boat',
    metadata: meta(name, namespaceName),
    spec: { sails: 1, ...spec },
  };
}

function generated(base: string): Boat {
  const made = boat('');
  made.metadata.generateName = base;
  return made;
}

function buoy(name: string, finalizers?: string[], labels?: Record<string, string>): KubeObject {
  const metadata = {
    ...meta(name, 'bay'),
    ...(finalizers ? { finalizers } : {}),
    ...(labels ? { labels } : {}),
  };
  return { apiVersion: 'v1', kind: 'Buoy', metadata };
}
