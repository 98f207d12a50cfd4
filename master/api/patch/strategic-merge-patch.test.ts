import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../shared/meta/kube-object.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

const POD = { group: '', version: 'v1', kind: 'Pod' };
const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment' };
const SERVICE = { group: '', version: 'v1', kind: 'Service' };

function patchPodSpec(spec: JsonObject, patch: JsonObject): JsonValue | undefined {
  return applyStrategicMergePatch({ spec }, { spec: patch }, POD)['spec'];
}

describe('lists with a merge key', () => {
  test('an element that is named changes in place, the others stay', () => {
    expect(
      patchPodSpec(
        {
          containers: [{ name: 'a', image: '1', env: [{ name: 'X', value: '1' }] }, { name: 'b' }],
        },
        { containers: [{ name: 'a', image: '2', env: [{ name: 'Y', value: '2' }] }] },
      ),
    ).toEqual({
      containers: [
        {
          name: 'a',
          image: '2',
          env: [
            { name: 'Y', value: '2' },
            { name: 'X', value: '1' },
          ],
        },
        { name: 'b' },
      ],
    });
  });

  test('$patch: delete removes the element, $patch: replace the whole list', () => {
    const spec = { containers: [{ name: 'a' }, { name: 'b' }] };
    expect(patchPodSpec(spec, { containers: [{ name: 'a', $patch: 'delete' }] })).toEqual({
      containers: [{ name: 'b' }],
    });
    expect(patchPodSpec(spec, { containers: [{ name: 'c' }, { $patch: 'replace' }] })).toEqual({
      containers: [{ name: 'c' }],
    });
  });

  test('$setElementOrder moves elements, and what it does not name stays behind its predecessors', () => {
    expect(
      patchPodSpec(
        { containers: [{ name: 'a' }, { name: 'b' }, { name: 'server' }] },
        {
          '$setElementOrder/containers': [{ name: 'b' }, { name: 'new' }, { name: 'a' }],
          containers: [{ name: 'new', image: 'x' }],
        },
      ),
    ).toEqual({
      containers: [{ name: 'b' }, { name: 'new', image: 'x' }, { name: 'a' }, { name: 'server' }],
    });
  });

  test('an element without its merge key fails as on Kubernetes', () => {
    expect(() =>
      patchPodSpec({ containers: [{ name: 'a' }] }, { containers: [{ image: 'x' }] }),
    ).toThrow('map: map[image:x] does not contain declared merge key: name');
  });

  test('service ports merge by port', () => {
    const patched = applyStrategicMergePatch(
      { spec: { ports: [{ port: 80, targetPort: 1 }] } },
      { spec: { ports: [{ port: 80, targetPort: 2 }] } },
      SERVICE,
    );
    expect(patched).toEqual({ spec: { ports: [{ port: 80, targetPort: 2 }] } });
  });
});

describe('other lists and maps', () => {
  test('finalizers merge as a set and are deleted by $deleteFromPrimitiveList', () => {
    const current = { metadata: { finalizers: ['a', 'b'] } };
    expect(
      applyStrategicMergePatch(current, { metadata: { finalizers: ['b', 'c'] } }, POD),
    ).toEqual({ metadata: { finalizers: ['a', 'b', 'c'] } });
    expect(
      applyStrategicMergePatch(
        current,
        { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } },
        POD,
      ),
    ).toEqual({ metadata: { finalizers: ['b'] } });
  });

  test('lists without a strategy are replaced', () => {
    expect(patchPodSpec({ tolerations: [{ key: 'a' }] }, { tolerations: [{ key: 'b' }] })).toEqual({
      tolerations: [{ key: 'b' }],
    });
  });

  test('$retainKeys drops the other members of a union', () => {
    const patched = applyStrategicMergePatch(
      { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
      { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
      DEPLOYMENT,
    );
    expect(patched).toEqual({ spec: { strategy: { type: 'Recreate' } } });
  });

  test('$patch: replace on a map drops what it does not name', () => {
    expect(
      applyStrategicMergePatch(
        { metadata: { labels: { a: '1', b: '2' } } },
        { metadata: { labels: { $patch: 'replace', c: '3' } } },
        POD,
      ),
    ).toEqual({ metadata: { labels: { c: '3' } } });
  });

  test('a key that retainKeys does not list is refused', () => {
    expect(() =>
      applyStrategicMergePatch(
        { spec: { strategy: {} } },
        { spec: { strategy: { $retainKeys: ['type'], rollingUpdate: { maxSurge: 1 } } } },
        DEPLOYMENT,
      ),
    ).toThrow('invalid patch format of retainKeys');
  });
});

describe('for any containers', () => {
  const container = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    image: fc.constantFrom('1', '2'),
  });
  const containers = fc.uniqueArray(container, { selector: ({ name }) => name });

  test('a patch with the wanted list and its order leads to that list, whatever was there', () => {
    fc.assert(
      fc.property(containers, containers, (before, wanted) => {
        const gone = before
          .filter(({ name }) => !wanted.some((other) => other.name === name))
          .map(({ name }) => ({ name, $patch: 'delete' }));
        const patched = patchPodSpec(
          { containers: before },
          {
            '$setElementOrder/containers': wanted.map(({ name }) => ({ name })),
            containers: [...wanted, ...gone],
          },
        );
        expect(patched).toEqual({ containers: wanted });
      }),
    );
  });

  test('applying a patch twice is applying it once, and the current object is left alone', () => {
    fc.assert(
      fc.property(containers, containers, (before, change) => {
        const current = { containers: before };
        const copy = structuredClone(current);
        const once = patchPodSpec(current, { containers: change }) as JsonObject;
        expect(patchPodSpec(once, { containers: change })).toEqual(once);
        expect(current).toEqual(copy);
      }),
    );
  });
});
