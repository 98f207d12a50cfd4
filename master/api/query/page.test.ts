import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import { CONFIG_MAPS } from '../../../shared/resources/config-map.ts';
import type { ResourceKind } from '../../../shared/resources/resource-kind.ts';
import { MemoryStore } from '../../store/memory-store.ts';
import { objectPath } from '../../store/object-path.ts';
import { WatchCache } from '../../store/watch-cache.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import { listOptions } from './list-options.ts';
import { type Page, pageOf } from './page.ts';
import { selectionOf } from './selection.ts';

const KIND = CONFIG_MAPS as unknown as ResourceKind;

interface Change {
  namespace: string;
  name: string;
  /** undefined: deleted. */
  value: string | undefined;
}

const changes = fc.array(
  fc.record({
    // Names that sort differently once a separator follows them.
    namespace: fc.constantFrom('a', 'a-b', 'ab'),
    name: fc.constantFrom('x', 'x-y', 'x.y', 'xy', 'z'),
    value: fc.option(fc.constantFrom('1', '2', '3'), { nil: undefined }),
  }),
  { maxLength: 40 },
);

class World {
  readonly cache = new WatchCache({ freeze: true });
  private readonly store = new MemoryStore();

  async open(): Promise<void> {
    await this.store.open();
    await this.cache.follow(this.store);
  }

  async apply({ namespace, name, value }: Change): Promise<void> {
    const key = objectPath(KIND, { namespace, name });
    if (value === undefined) {
      await this.store.txn([], [{ kind: 'delete', key }]);
      return;
    }
    const bytes = (revision: number) =>
      Buffer.from(
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name, namespace, labels: { value }, resourceVersion: String(revision) },
        }),
      );
    await this.store.txn([], [{ kind: 'put', key, value: bytes }]);
  }

  page(namespace: string, query: string): Page {
    const params = new URLSearchParams(query);
    const selection = selectionOf(KIND, { namespace, name: '' }, params);
    return pageOf(this.cache, KIND, selection, listOptions(params, KIND, false));
  }
}

function seen(objects: readonly KubeObject[]): string[] {
  return objects.map(
    ({ metadata }) => `${metadata.namespace}/${metadata.name}@${metadata.resourceVersion}`,
  );
}

test('a list at an earlier revision is the list as it was then', async () => {
  await fc.assert(
    fc.asyncProperty(changes, async (list) => {
      const world = new World();
      await world.open();
      const snapshots = [world.page('', '')];
      for (const change of list) {
        await world.apply(change);
        snapshots.push(world.page('', ''));
      }
      for (const { revision, objects } of snapshots) {
        if (revision === 0) continue;
        const query = `resourceVersion=${revision}&resourceVersionMatch=Exact`;
        expect(seen(world.page('', query).objects)).toEqual(seen(objects));
      }
    }),
  );
});

test('the pages of a list, one after the other, are the list at the first page', async () => {
  await fc.assert(
    fc.asyncProperty(
      changes,
      changes,
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom('', 'a', 'a-b'),
      fc.constantFrom('', '&labelSelector=value%3D1'),
      async (before, between, limit, namespace, selector) => {
        const world = new World();
        await world.open();
        for (const change of before) await world.apply(change);
        const whole = seen(world.page(namespace, selector).objects);
        const found: string[] = [];
        const rest = [...between];
        let token = '';
        for (;;) {
          const query = `limit=${limit}${selector}${token === '' ? '' : `&continue=${token}`}`;
          const page = world.page(namespace, query);
          found.push(...seen(page.objects));
          if (page.remainingItemCount !== undefined) {
            expect(page.remainingItemCount).toBe(whole.length - found.length);
          }
          if (page.continueToken === undefined) break;
          token = encodeURIComponent(page.continueToken);
          const change = rest.shift();
          if (change !== undefined) await world.apply(change);
        }
        expect(found).toEqual(whole);
      },
    ),
  );
});

test('a continue token is read as it was written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1 }), fc.string({ minLength: 1 }), (revision, start) => {
      expect(decodeContinue(encodeContinue({ revision, start }))).toEqual({ revision, start });
    }),
  );
});

test.each([
  ['', 'continue key is not valid: it is not a token of this server'],
  ['bm90IGpzb24', 'continue key is not valid: it is not a token of this server'],
  [
    Buffer.from('{"v":"v0"}').toString('base64url'),
    'continue key is not valid: server does not recognize this encoded version "v0"',
  ],
  [
    Buffer.from('{"v":"meta.k8s.io/v1","rv":0,"start":"a"}').toString('base64url'),
    'continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
  ],
  [
    Buffer.from('{"v":"meta.k8s.io/v1","rv":1}').toString('base64url'),
    'continue key is not valid: encoded start key empty (version meta.k8s.io/v1)',
  ],
])('%j is no token', (token, message) => {
  expect(() => decodeContinue(token)).toThrow(message);
});
