import { expect, test } from 'vitest';
import { withLastApplied } from './last-applied.ts';

const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
const manifest = {
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name: 'a' },
  data: { b: '<1> & 2', a: 'x' },
};

function lastApplied(object: unknown): unknown {
  return (object as { metadata: { annotations: Record<string, string> } }).metadata.annotations[
    ANNOTATION
  ];
}

test('the annotation is what kubectl apply writes', () => {
  expect(lastApplied(withLastApplied(manifest, 'n'))).toBe(
    '{"apiVersion":"v1","data":{"a":"x","b":"\\u003c1\\u003e \\u0026 2"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"a","namespace":"n"}}\n',
  );
});

test('an object without a namespace gets none', () => {
  const namespace = { kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'a' } };
  expect(withLastApplied(namespace, undefined)['metadata']).toEqual({
    name: 'a',
    annotations: {
      [ANNOTATION]:
        '{"apiVersion":"v1","kind":"Namespace","metadata":{"annotations":{},"name":"a"}}\n',
    },
  });
});

test('what the cluster remembers stays, so that kubectl can remove what left the manifest', () => {
  const existing = { metadata: { annotations: { [ANNOTATION]: '{"older":true}\n' } } };
  const again = withLastApplied(manifest, 'n', existing);
  expect(lastApplied(again)).toBe('{"older":true}\n');
});
